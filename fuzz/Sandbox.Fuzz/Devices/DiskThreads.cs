using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What a disk's process has besides the device: threads that wait for the medium, a rate, a look for the next request. The rate's clock is ours
/// and goes on when the device waits for it, so that no run takes longer for it.
/// </summary>
internal sealed class DiskThreads
{
    private const int PollRounds = 2;
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const long MinBytesPerSecond = 64 * 1024; // slower, a debt would last longer than a run has turns

    private readonly BlockWorkers _workers = new(BlockWorkers.DefaultCount);
    private readonly KickPoll _poll = new(PollRounds);
    private RateModel? _rate;
    private long _now;

    /// <summary>The device as its process makes it; how, says the input.</summary>
    public BlockDevice Make(ref InputReader input, int fd, bool readOnly)
    {
        int queues = 1 + input.Below(3);
        bool direct = input.OneIn(2); // every transfer waits then; what a file past the page cache demands of addresses, this one does not
        long bytes = input.OneIn(2) ? MinBytesPerSecond << input.Below(10) : 0;
        long requests = input.OneIn(2) ? 1L << input.Below(12) : 0;
        _rate = new RateModel(bytes, requests, _now);
        BlockRate? rate = bytes == 0 && requests == 0 ? null : new BlockRate(bytes, requests, () => _now, RateModel.BurstBytes);
        return new BlockDevice(fd, BlockModel.CapacityBytes, readOnly, BlockModel.Serial, queues, direct, rate, _workers, _ => _poll);
    }

    /// <summary>A request was answered that has moved so many bytes: in time?</summary>
    public void Answered(long bytes) => _rate!.Answered(bytes, _now);

    /// <summary>A round of the loop, and all that its threads have begun. True when there is more to do.</summary>
    public bool Turn(BlockDevice device)
    {
        bool more = device.Work();
        if (device.WaitMilliseconds >= 0)
        {
            _now += (device.WaitMilliseconds + 1) * NanosecondsPerMillisecond;
            more = true;
        }

        End(device);
        return more || DeviceQueue.HaveAvailable(device.Queues);
    }

    /// <summary>Nothing is in work any more: the guest's memory may go.</summary>
    public static void End(BlockDevice device)
    {
        for (int index = 0; index < device.Queues.Length; index++)
        {
            device.QueueStopping(index);
        }
    }
}
