using Sandbox.Device;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// How a good driver and its device wake each other: calls for what was answered (virtio 1.2 §2.7.7), kicks for what is new (§2.7.10). One that
/// is missing, and both sleep for ever: no other check sees it, for the bench lets the device look at its rings unasked.
/// </summary>
/// <param name="queues">That the device has.</param>
internal sealed class DriverSignals(int queues) : IDisposable
{
    private readonly FdHandle?[] _calls = new FdHandle?[queues];
    private readonly ushort[] _judged = new ushort[queues]; // up to which used index

    /// <summary>A ring begins.</summary>
    public void Started(DeviceQueue queue, int index, ushort usedIndex)
    {
        TakenOver(queue, index);
        _ = EventFd.TryConsume(_calls[index]!.Number); // one that begins beyond 0 looks like a predecessor's
        _judged[index] = usedIndex;
    }

    /// <summary>Another process has the ring. What its predecessor answered and did not tell, it tells.</summary>
    public void TakenOver(DeviceQueue queue, int index)
    {
        FdHandle call = _calls[index] ??= EventFd.Create();
        using FdHandle copy = FdIo.Duplicate(call.Number);
        queue.TakeCall(copy.Take());
    }

    /// <summary>The device's process is gone, and its fds with it.</summary>
    public static void Gone(VirtioDevice device)
    {
        foreach (DeviceQueue queue in device.Queues)
        {
            queue.TakeCall(-1);
        }
    }

    /// <summary>The driver was called for what has been answered since it was last looked at, if it wished that.</summary>
    public void RequireCall(int index, FuzzQueue driver, bool eventIndex)
    {
        ushort from = _judged[index];
        ushort to = driver.UsedIndex;
        if (from == to)
        {
            return;
        }

        _judged[index] = to;
        bool called = EventFd.TryConsume(_calls[index]!.Number);
        if (!called && driver.WantsCall(eventIndex, from, to))
        {
            throw new FindingException($"queue {index}: the driver is not told of the answers {from} to {to}");
        }
    }

    /// <summary>The device sleeps and has taken all there is: the next chain must wake it.</summary>
    public static void RequireKick(int index, DeviceQueue queue, FuzzQueue driver, bool eventIndex)
    {
        if (queue.Ring.IsRunning && queue.Ring.NextAvailableIndex == driver.AvailableIndex && !driver.KicksNext(eventIndex))
        {
            throw new FindingException($"queue {index}: the device sleeps and has not asked to be told of the next request");
        }
    }

    public void Dispose()
    {
        foreach (FdHandle? call in _calls)
        {
            call?.Dispose();
        }
    }
}
