using Sandbox.Device;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What a driver does to a device, made from an input: queues are set up, requests come by the book or not, rings are written at random,
/// queues are stopped and started, the device is reset, its process is killed. One of four drivers: good (everything is checked), one whose memory
/// changes while it is read, one that writes rings at random, and one that does both.
/// </summary>
internal ref struct DeviceScript(DeviceBench bench, FuzzGuest guest, InputReader input)
{
    private const int MaxTurns = 512;

    private static readonly ushort[] Sizes = [1, 2, 4, 8, 16, 64, 256];

    private readonly DeviceBench _bench = bench;
    private readonly FuzzGuest _guest = guest;
    private readonly FuzzQueue?[] _queues = new FuzzQueue?[bench.Device.Queues.Length];
    private readonly bool[] _unseen = new bool[bench.Device.Queues.Length]; // the device has not worked since the ring began
    private readonly DriverSignals? _signals = guest.Auditor.Strict ? new(bench.Device.Queues.Length) : null; // a good driver's
    private InputReader _input = input;
    private bool _good;
    private ulong _features;

    /// <summary>The first byte says which driver it is.</summary>
    public static bool IsGood(ReadOnlySpan<byte> input) => input.IsEmpty || (input[0] & 3) is 0 or 1;

    public void Run(ulong seed)
    {
        try
        {
            Act(seed);
        }
        finally
        {
            DriverSignals.Gone(_bench.Device);
            _signals?.Dispose();
        }
    }

    private void Act(ulong seed)
    {
        byte mode = _input.Byte();
        _good = (mode & 3) is 0 or 1;
        _guest.TakesBack = _bench.TakesBuffersBack;
        Agree(mode, (ulong)_input.Byte() << 9);
        if (!_good && ((mode & 3) == 2 || (mode & 0x10) != 0))
        {
            MemoryRewriter rewriter = new(_guest, seed, oneIn: 1 + (mode >> 5));
            _guest.Auditor.BeforeRead = rewriter.BeforeRead;
        }

        while (!_input.IsEmpty)
        {
            Step((mode & 3) == 3);
        }

        Work();
        _guest.Auditor.BeforeRead = null;
        _bench.CheckAtEnd(_good);
        RequireKicks(atEnd: true);
    }

    private void Step(bool hostile)
    {
        int queue = _input.Below(_bench.BusyQueues);
        switch (_input.Byte() & 15)
        {
            case < 8:
                if (_queues[queue] is { } ring && !_bench.TryAddRequest(ref _input, queue, ring))
                {
                    Work();
                }

                break;
            case < 11:
                Work();
                break;
            case 11:
                _bench.Disturb(ref _input);
                break;
            case 12:
                _queues[queue]?.SetFlags((ushort)(_input.Byte() & 1));
                ushort wish = _input.U16();
                _queues[queue]?.WantCallAt((wish & 0x8000) != 0 ? wish : unchecked((ushort)(_queues[queue]!.UsedIndex + (wish & 7)))); // as drivers do: soon
                break;
            case 13 when _input.OneIn(4):
                Restart(queue);
                break;
            case 14 when _input.OneIn(4):
                Reset();
                break;
            case 15 when _bench.CanBeKilled && _input.OneIn(2):
                Kill(1 + (_input.OneIn(3) ? _input.U16() & 0x3FF : _input.Below(64)));
                break;
            default:
                if (hostile)
                {
                    Scribble(queue);
                }

                break;
        }
    }

    // Features, and the queues from the beginning.
    private void Agree(byte mode, ulong withheld)
    {
        _features = _bench.Device.OfferedFeatures & ~withheld;
        _features &= (mode & 4) != 0 ? ulong.MaxValue : ~VirtioFeatureBits.RingEventIndex;
        _features |= VirtioFeatureBits.RingIndirectDescriptors;
        _bench.FeaturesAgreed(_features);
        for (int index = 0; index < _queues.Length; index++)
        {
            Start(index);
        }
    }

    /// <summary>The driver resets the device, and the next may agree on something else.</summary>
    private void Reset()
    {
        for (int index = 0; index < _queues.Length; index++)
        {
            Stop(index);
        }

        Agree(_input.Byte(), (ulong)_input.Byte() << (_input.OneIn(2) ? 0 : 9));
    }

    // In the middle of its work, and another process takes over as the front end has it: what was in flight is done again, nothing twice.
    private void Kill(int before)
    {
        _guest.Auditor.KillBefore = before;
        try
        {
            Work();
        }
        catch (ProcessKilledException)
        {
            Succeed();
            Work();
        }
    }

    private void Succeed()
    {
        _guest.Auditor.BeginRound();
        DriverSignals.Gone(_bench.Device);
        _bench.Replace();
        _bench.FeaturesAgreed(_features);
        _bench.Device.TakenOver();
        for (int index = 0; index < _queues.Length; index++)
        {
            if (_queues[index] is not { } driver)
            {
                continue;
            }

            DeviceQueue queue = _bench.Device.Queues[index];
            queue.Record.Attach(_guest.Record(index));
            VirtqueueFault fault = queue.Ring.Configure(_guest.Memory, driver.Layout, _features, driver.UsedIndex, queue.Record);
            Reached.Note(4, (int)fault);
            if (_good && fault != VirtqueueFault.None)
            {
                throw new FindingException($"the successor of a killed process refuses a good driver's ring: {fault}");
            }

            _bench.Device.QueueStarted(index);
            _signals?.TakenOver(queue, index);
        }
    }

    private void Start(int index)
    {
        DeviceQueue queue = _bench.Device.Queues[index];
        _queues[index] = null;
        Stop(index);
        ushort start = _input.OneIn(4) ? _input.U16() : (ushort)0;
        ushort size = _input.Pick<ushort>(Sizes);
        if (_guest.Room < 0x4000)
        {
            return; // memory is used up: this queue stays as it is
        }

        FuzzQueue driver = new(_guest, size, start);
        VirtqueueFault fault = queue.Ring.Configure(_guest.Memory, driver.Layout, _features, start, FreshRecord(index));
        if (fault != VirtqueueFault.None)
        {
            throw new FindingException($"a sound ring was refused: {fault}");
        }

        _queues[index] = driver;
        _bench.Device.QueueStarted(index);
        _bench.QueueStarted(index);
        _signals?.Started(queue, index, start);
        _unseen[index] = true;
    }

    // As the front end asks for one: cleared.
    private readonly InFlightRecord? FreshRecord(int index)
    {
        if (!_bench.CanBeKilled)
        {
            return null;
        }

        DeviceQueue queue = _bench.Device.Queues[index];
        queue.Record.Attach(_guest.ClearRecord(index));
        return queue.Record;
    }

    // As the process does it.
    private readonly void Stop(int index)
    {
        DeviceQueue queue = _bench.Device.Queues[index];
        _bench.Device.QueueStopping(index);
        queue.Ring.Stop();
        _bench.Device.QueueStopped(index);
    }

    private void Restart(int index)
    {
        if (!_good && _input.OneIn(3))
        {
            DeviceQueue queue = _bench.Device.Queues[index];
            Stop(index);
            // Wherever the driver says: what is accepted lies in memory, or the auditor sees it.
            VirtqueueLayout layout = new(_input.Edge32(), new GuestAddress(Place()), new GuestAddress(Place()), new GuestAddress(Place()));
            Reached.Note(3, (int)queue.Ring.Configure(_guest.Memory, layout, _features, _input.U16(), FreshRecord(index)));
            _bench.Device.QueueStarted(index);
            _queues[index] = null;
            return;
        }

        Start(index);
    }

    private void Work()
    {
        int turns = 0;
        bool more = true;
        Array.Clear(_unseen);
        while (more)
        {
            if (++turns > MaxTurns)
            {
                if (_good)
                {
                    throw new FindingException($"the device still says that there is more to do after {MaxTurns} turns");
                }

                break; // a hostile driver may move its index for ever: the loop comes back to its other fds meanwhile
            }

            long before = Allocation.Now;
            more = _bench.Turn();
            Allocation.Require(before, _bench.TurnAllocationBytes, "a turn of the device");
        }

        _guest.Auditor.KillBefore = 0; // it was not reached
        Judge();
    }

    private void Judge()
    {
        for (int index = 0; index < _queues.Length; index++)
        {
            SplitVirtqueue ring = _bench.Device.Queues[index].Ring;
            Reached.Note(1 + (index << 4), (int)ring.Fault);
            if (!_good || _queues[index] is not { } queue)
            {
                continue;
            }

            if (!_bench.HasEnded)
            {
                _signals?.RequireCall(index, queue, EventIndex);
            }

            while (queue.TryTakeUsed(out ushort head, out uint written))
            {
                Reached.Note(2 + (index << 4), System.Numerics.BitOperations.Log2(written + 1));
                _bench.Completed(index, head, written);
            }

            if (ring.Fault != VirtqueueFault.None)
            {
                if (ring.Fault != VirtqueueFault.RequestUnanswerable)
                {
                    throw new FindingException($"a good driver's queue {index} stopped: {ring.Fault}");
                }

                Start(index); // only a request without room for its answer may stop a good driver's queue
            }
            else if (_bench.AnswersAtOnce && queue.Outstanding != 0)
            {
                throw new FindingException($"queue {index}: {queue.Outstanding} requests are neither answered nor refused");
            }
        }

        RequireKicks(atEnd: false);
    }

    private readonly void RequireKicks(bool atEnd)
    {
        for (int index = 0; _good && index < _queues.Length; index++)
        {
            if (_queues[index] is { } queue && !_unseen[index] && _bench.MustAskForKicks(index, atEnd))
            {
                DriverSignals.RequireKick(index, _bench.Device.Queues[index], queue, EventIndex);
            }
        }
    }

    private readonly bool EventIndex => (_features & VirtioFeatureBits.RingEventIndex) != 0;

    // Rings and descriptors as no driver should write them.
    private void Scribble(int index)
    {
        if (_queues[index] is not { } queue)
        {
            return;
        }

        switch (_input.Below(7))
        {
            case 6 when _bench.CanBeKilled: // what a process left that was not ours any more
                Span<byte> record = stackalloc byte[16];
                _input.Bytes(16).CopyTo(record);
                _guest.WriteRecord(index, _input.OneIn(3) ? 0u : 16u * (uint)_input.Below(32), record);
                break;
            case 0:
                queue.RawAvailableIndex(unchecked((ushort)(queue.AvailableIndex + (_input.OneIn(2) ? _input.U16() : _input.Below(8)))));
                break;
            case 1:
                queue.MakeAvailable(_input.OneIn(3) ? _input.U16() : (ushort)_input.Below(queue.Size));
                break;
            case 2:
                Span<byte> bytes = stackalloc byte[16];
                _input.Bytes(16).CopyTo(bytes);
                _guest.Write(Place(), bytes);
                break;
            default:
                ushort count = (ushort)(1 + _input.Below(4));
                ushort head = (ushort)_input.Below(queue.Size);
                for (int step = 0; step < count; step++)
                {
                    queue.RawDescriptor((ushort)(head + step), Place(), _input.OneIn(3) ? _input.Edge32() : (uint)_input.Below(64) * 16, (ushort)(_input.Byte() & 7), (ushort)(_input.OneIn(6) ? _input.U16() : head + step + 1));
                }

                queue.MakeAvailable(head);
                break;
        }
    }

    private ulong Place() => _input.Below(4) switch
    {
        0 => FuzzGuest.LowStart + (_input.U16() & 0xFFF0u),
        1 => FuzzGuest.LowStart + FuzzGuest.LowBytes - ((ulong)_input.Byte() << _input.Below(8)),
        2 => FuzzGuest.HighStart + FuzzGuest.HighBytes - ((ulong)_input.Byte() << _input.Below(8)),
        _ => _input.Edge(),
    };
}
