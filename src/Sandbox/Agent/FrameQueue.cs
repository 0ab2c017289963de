using System.Buffers;

namespace Sandbox.Agent;

/// <summary>
/// Frames on their way to the guest, in the order in which they were judged. Two buffers: frames are appended to one while the
/// sender empties the other. Used under the client's lock, but for the sending itself.
/// </summary>
internal sealed class FrameQueue
{
    /// <summary>Data frames wait while this much is queued: what a slow guest does not take stays with the writer.</summary>
    public const int DataLimitBytes = 256 * 1024;

    /// <summary>
    /// A guest that lets even credits and signals pile up this far reads nothing any more. Beside the requests of the commands that live, of
    /// which an application may begin many at once: no guest's fault.
    /// </summary>
    public const int HardLimitBytes = 1024 * 1024;

    private ArrayBufferWriter<byte> _filling = new();
    private ArrayBufferWriter<byte> _sending = new();

    public int Count => _filling.WrittenCount;

    /// <summary>Room for one frame of at most <paramref name="bytes"/>; follow with <see cref="Appended"/>.</summary>
    public Span<byte> Room(int bytes) => _filling.GetSpan(bytes)[..bytes];

    public void Appended(int bytes) => _filling.Advance(bytes);

    /// <summary>Everything appended so far, for the sender; valid until the next call. Empty: nothing to send.</summary>
    public ReadOnlyMemory<byte> TakeAll()
    {
        (_filling, _sending) = (_sending, _filling);
        _filling.ResetWrittenCount();
        return _sending.WrittenMemory;
    }
}
