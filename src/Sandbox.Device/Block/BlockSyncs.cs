using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// What may be said of synchronizations, of which one runs at a time, for all who wait when it begins. The kernel tells of a write that the
/// medium refused once, to whoever synchronizes next (errseq, Documentation/core-api/errseq.rst). Where that one does not speak for every
/// change that may be lost, a failure is owed: every flush, and every write that must be on the medium, fails until one has that does, or the
/// driver would be promised what is lost.
/// </summary>
internal sealed class BlockSyncs
{
    private const long Nothing = -1;

    private long _begunAt;
    private long _safe;
    private long _owed = Nothing;

    /// <summary>Changes of the file that were answered without a synchronization. A flush speaks for those that were when it came.</summary>
    public long AnsweredChanges { get; private set; }

    /// <summary>How many have failed. Who began before one did, and was not on the medium then, must fail too.</summary>
    public long Failures { get; private set; }

    /// <summary>Nothing was answered that is not on the medium, and nothing is owed.</summary>
    public bool IsAllSafe => AnsweredChanges == _safe && _owed == Nothing;

    /// <summary>A loss that nobody has been told of.</summary>
    public bool OwesFailure => _owed != Nothing;

    /// <summary>A change is answered without a synchronization.</summary>
    /// <param name="acrossFailure">One has failed while it was in work, perhaps because of it.</param>
    public void AnswerChange(bool acrossFailure)
    {
        AnsweredChanges++;
        _owed = acrossFailure ? AnsweredChanges : _owed;
    }

    public void Begin() => _begunAt = AnsweredChanges;

    /// <summary>One has ended. True: those that it was for must fail, whatever the host said.</summary>
    /// <param name="status">What the host said.</param>
    /// <param name="told">The changes that those who are told speak for, at most; negative where nobody is.</param>
    public bool End(BlockStatus status, long told)
    {
        bool failed = status != BlockStatus.Ok;
        bool owes = failed || _owed != Nothing;
        if (failed)
        {
            Failures++;
            // What the last good one found is on the medium; what was answered since may be what this one failed for.
            _owed = AnsweredChanges > _safe ? AnsweredChanges : _owed;
        }
        else
        {
            _safe = _begunAt;
        }

        if (owes && told >= _owed)
        {
            _owed = Nothing;
        }

        return owes;
    }
}
