using Sandbox.Device;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// A device model on the bench: the real class, its backing, and a driver that knows how its requests look. To fuzz a device of your own,
/// derive from this (fuzz/README.md).
/// </summary>
internal abstract class DeviceBench : IDisposable
{
    protected DeviceBench(FuzzGuest guest) => Guest = guest;

    public abstract VirtioDevice Device { get; }

    /// <summary>Queues that get requests: a device may have more.</summary>
    public virtual int BusyQueues => Device.Queues.Length;

    /// <summary>Every chain made available by a good driver is back when the device says that there is nothing more to do.</summary>
    public virtual bool AnswersAtOnce => true;

    /// <summary>
    /// The device has no more to do: whether it must then ask for a kick on this queue, once that is empty. At the end, nothing that it would wait for
    /// stands in its way.
    /// </summary>
    public virtual bool MustAskForKicks(int queueIndex, bool atEnd) => AnswersAtOnce;

    /// <summary>A request's buffers are in no other request, and the driver's again with the answer.</summary>
    public virtual bool TakesBuffersBack => true;

    /// <summary>Its process may be killed at any access to shared memory, and another goes on with its rings and records.</summary>
    public virtual bool CanBeKilled => false;

    /// <summary>Its process ends by itself, with an error that is not the driver's.</summary>
    public virtual bool HasEnded => false;

    /// <summary>What one turn may allocate: nothing, on the data path.</summary>
    public virtual long TurnAllocationBytes => 0;

    protected FuzzGuest Guest { get; }

    /// <summary>Makes one request available on the queue, well-formed or nearly so; false when there is no room for it.</summary>
    public abstract bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue);

    /// <summary>A good driver's request is back.</summary>
    public virtual void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
    }

    /// <summary>One round of the process's loop. True when there is more to do.</summary>
    public virtual bool Turn() => Device.Work();

    /// <summary>What else can happen to this device: its backing, its host.</summary>
    public virtual void Disturb(ref InputReader input)
    {
    }

    /// <summary>The queue starts again with an empty ring: what was under way on it is forgotten.</summary>
    public virtual void QueueStarted(int queueIndex)
    {
    }

    /// <summary>A fresh device in the place of the one that died. What was under way stays so.</summary>
    public virtual void Replace() => throw new NotSupportedException();

    public virtual void FeaturesAgreed(ulong features) => Device.FeaturesAgreed(features);

    /// <summary>Checks what must hold whatever the guest did. A good driver's requests have been judged before.</summary>
    public virtual void CheckAtEnd(bool behaved)
    {
    }

    public abstract void Dispose();
}
