using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Fuzz.Targets;

/// <summary>The walk of a queue: what is popped must be what a second reading of the specification finds, fault for fault.</summary>
internal sealed class VirtqueueFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();
    private readonly SplitVirtqueue _ring = new();
    private readonly DescriptorChain _chain = new();
    private readonly List<ushort> _inFlight = [];

    public string Name => "virtqueue";

    public string Subject => "split virtqueue and descriptor chains, against a second reading of the specification";

    public bool MayCrash => true;

    public int MaxInputBytes => 256;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        byte mode = input.Byte();
        bool rewrites = (mode & 3) == 3;
        bool indirect = (mode & 4) != 0;
        _guest.Begin(strict: false);
        _inFlight.Clear();
        ushort start = (mode & 8) != 0 ? input.U16() : (ushort)0;
        FuzzQueue queue = new(_guest, (ushort)(1 << input.Below(6)), start);
        VirtqueueLayout layout = (mode & 0x70) == 0x70 ? Junk(ref input, queue.Layout) : queue.Layout;
        ulong features = (indirect ? VirtioFeatureBits.RingIndirectDescriptors : 0) | ((mode & 0x80) != 0 ? VirtioFeatureBits.RingEventIndex : 0);
        if (_ring.Configure(_guest.Memory, layout, features, start) != ExpectedLayoutFault(layout))
        {
            throw new FindingException($"ring {layout} was answered {_ring.Fault}");
        }

        VirtqueueModel model = new(_guest, layout, indirect, start, _inFlight);
        if (rewrites)
        {
            _guest.Auditor.BeforeRead = new MemoryRewriter(_guest, InputReader.Seed(bytes), 2).BeforeRead;
        }

        while (!input.IsEmpty)
        {
            Step(ref input, queue, model, rewrites);
        }

        _guest.Auditor.BeforeRead = null;
        _ring.Stop();
    }

    public void Dispose() => _guest.Dispose();

    private void Step(ref InputReader input, FuzzQueue queue, VirtqueueModel model, bool rewrites)
    {
        switch (input.Below(8))
        {
            case 0 or 1 or 2:
                Describe(ref input, queue);
                break;
            case 3:
                queue.RawAvailableIndex(unchecked((ushort)(queue.AvailableIndex + (input.OneIn(3) ? input.U16() : input.Below(4)))));
                break;
            case 4 when _inFlight.Count != 0:
                int which = input.Below(_inFlight.Count);
                _ring.Complete(_inFlight[which], input.U16());
                _inFlight.RemoveAt(which);
                _ = _ring.TakeCallNeeded();
                break;
            case 5:
                _ring.SuppressKicks();
                _ = _ring.EnableKicks();
                break;
            default:
                Pop(model, rewrites);
                break;
        }
    }

    private void Pop(VirtqueueModel model, bool rewrites)
    {
        long before = Allocation.Now;
        bool popped;
        VirtqueueFault expected = VirtqueueFault.None;
        if (rewrites || !_ring.IsRunning)
        {
            popped = _ring.TryPop(_chain);
        }
        else
        {
            bool there = model.TryPop(out expected);
            before = Allocation.Now;
            popped = _ring.TryPop(_chain);
            if (_ring.Fault != expected || popped != (there && expected == VirtqueueFault.None))
            {
                throw new FindingException($"pop gave {popped} and {_ring.Fault}; the specification gives {there} and {expected}");
            }

            if (popped && (_chain.HeadIndex != model.Head || _chain.Readable.LengthBytes != model.ReadableBytes || _chain.Writable.LengthBytes != model.WritableBytes))
            {
                throw new FindingException($"a chain of {_chain.Readable.LengthBytes} and {_chain.Writable.LengthBytes} bytes; the specification gives {model.ReadableBytes} and {model.WritableBytes}");
            }
        }

        Allocation.Require(before, 0, "a pop");
        Reached.Note(1, (int)_ring.Fault);
        if (popped)
        {
            if (_inFlight.Contains(_chain.HeadIndex))
            {
                throw new FindingException($"head {_chain.HeadIndex} is in flight twice");
            }

            _inFlight.Add(_chain.HeadIndex);
            Reached.Note(2, _chain.Readable.SegmentCount | (_chain.Writable.SegmentCount << 6));
            UseBuffers();
        }
    }

    // Reads and fills everything that the chain says is the device's: the auditor sees whether it is.
    private void UseBuffers()
    {
        Span<byte> bytes = stackalloc byte[64];
        while (!_chain.Readable.IsEmpty)
        {
            int count = (int)Math.Min((ulong)bytes.Length, _chain.Readable.LengthBytes);
            _ = _chain.Readable.TryTake(bytes[..count]);
            if (_chain.Readable.LengthBytes > 256)
            {
                _chain.Readable.Advance(_chain.Readable.LengthBytes - 64);
            }
        }

        while (!_chain.Writable.IsEmpty)
        {
            int count = (int)Math.Min((ulong)bytes.Length, _chain.Writable.LengthBytes);
            _ = _chain.Writable.TryPut(bytes[..count]);
            if (_chain.Writable.LengthBytes > 256)
            {
                _chain.Writable.Advance(_chain.Writable.LengthBytes - 64);
            }
        }
    }

    // A chain that is nearly right: each field is wrong now and then.
    private void Describe(ref InputReader input, FuzzQueue queue)
    {
        int count = 1 + input.Below(4);
        ushort head = (ushort)input.Below(queue.Size);
        ulong table = 0;
        bool indirect = input.OneIn(3) && _guest.TryAllocate(16u * 8, 16, ByteUse.Read, out table);
        bool writable = false;
        for (int index = 0; index < count; index++)
        {
            writable |= input.OneIn(3);
            bool last = index + 1 == count;
            uint flags = (last ? 0u : 1) | (input.OneIn(12) ? (uint)input.Byte() & 7 : writable ? 2u : 0);
            int here = indirect ? index : (head + index) % queue.Size;
            int next = indirect ? index + 1 : (here + 1) % queue.Size;
            _guest.WriteDescriptor(
                (indirect ? table : queue.Layout.DescriptorTable.Value) + (16ul * (uint)here),
                Address(ref input),
                input.OneIn(4) ? input.Edge32() : input.Byte(),
                (ushort)flags,
                (ushort)(input.OneIn(10) ? input.U16() % 300 : next));
        }

        if (indirect)
        {
            queue.RawDescriptor(head, input.OneIn(10) ? Address(ref input) : table, input.OneIn(6) ? input.Edge32() : 16u * (uint)count, (ushort)(input.OneIn(8) ? input.Byte() & 7 : 4), input.OneIn(4) ? input.U16() : (ushort)0);
        }

        queue.MakeAvailable(input.OneIn(10) ? input.U16() : head);
    }

    private static ulong Address(ref InputReader input) => input.Below(8) switch
    {
        0 => FuzzGuest.LowStart + FuzzGuest.LowBytes - input.Byte(),
        1 => FuzzGuest.HighStart + FuzzGuest.HighBytes - input.Byte(),
        2 => FuzzGuest.HighStart + input.Byte(),
        3 => input.Edge(),
        _ => FuzzGuest.LowStart + 0x1_0000 + input.U16() / 2u,
    };

    private static VirtqueueLayout Junk(ref InputReader input, VirtqueueLayout sound) => new(
        input.OneIn(2) ? input.Edge32() : sound.Size,
        new GuestAddress(input.OneIn(2) ? Address(ref input) : sound.DescriptorTable.Value),
        new GuestAddress(input.OneIn(2) ? Address(ref input) : sound.AvailableRing.Value),
        new GuestAddress(input.OneIn(2) ? Address(ref input) : sound.UsedRing.Value));

    /// <summary>What must be said of a ring at this place.</summary>
    internal static VirtqueueFault ExpectedLayoutFault(VirtqueueLayout layout)
    {
        if (layout.Size is 0 or > SplitVirtqueue.MaxSize || !System.Numerics.BitOperations.IsPow2(layout.Size))
        {
            return VirtqueueFault.SizeInvalid;
        }

        if (layout.DescriptorTable.Value % 16 != 0 || layout.AvailableRing.Value % 2 != 0 || layout.UsedRing.Value % 4 != 0)
        {
            return VirtqueueFault.RingMisaligned;
        }

        return VirtqueueModel.InMemory(layout.DescriptorTable.Value, 16 * layout.Size) && VirtqueueModel.InMemory(layout.AvailableRing.Value, 6 + (2 * layout.Size)) && VirtqueueModel.InMemory(layout.UsedRing.Value, 6 + (8 * layout.Size))
            ? VirtqueueFault.None
            : VirtqueueFault.RingOutsideMemory;
    }
}
