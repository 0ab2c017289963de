using System.Buffers.Binary;
using System.Diagnostics;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>
/// A driver that keeps several random reads and writes of a disk in flight and knows what each must give: an answer that is wrong, missing
/// or given twice is noted. It runs on the caller's thread, on rings that a backend serves.
/// </summary>
internal sealed class DiskLoad
{
    private const int Depth = 8;
    private const int BlockBytes = 4096;
    private const int SectorsPerBlock = BlockBytes / 512;

    private readonly TestGuest _guest;
    private readonly DriverQueue _queue;
    private readonly int _kick;
    private readonly int _call;
    private readonly Random _random = new(5);
    private readonly byte[] _disk;
    private readonly Slot[] _slots = new Slot[Depth];
    private readonly Dictionary<ushort, int> _inFlight = [];
    private readonly byte[] _header = new byte[16];
    private long _lastAnswer = Stopwatch.GetTimestamp();

    /// <param name="guest">Where the buffers are.</param>
    /// <param name="queue">Rings that are set up.</param>
    /// <param name="kick">The eventfd of the driver's notifications.</param>
    /// <param name="call">The eventfd of the interrupt.</param>
    /// <param name="content">What is on the disk: kept up to date.</param>
    public DiskLoad(TestGuest guest, DriverQueue queue, int kick, int call, byte[] content)
    {
        (_guest, _queue, _kick, _call, _disk) = (guest, queue, kick, call, content);
        for (int index = 0; index < Depth; index++)
        {
            _slots[index] = new Slot(guest.Allocate(16), guest.Allocate(BlockBytes), guest.Allocate(1));
        }
    }

    public int Answers { get; private set; }

    /// <summary>What went wrong.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>The longest time without an answer.</summary>
    public TimeSpan LongestStall { get; private set; }

    /// <summary>Keeps the disk busy until told to stop, then waits for what is in flight.</summary>
    public void Run(Func<bool> stop)
    {
        bool stopping = false;
        while (!stopping || _inFlight.Count != 0)
        {
            stopping |= stop();
            for (int slot = 0; slot < Depth && !stopping; slot++)
            {
                Offer(slot);
            }

            if (_inFlight.Count != 0 && !Wait())
            {
                Errors.Add($"no answer within 20 s; {_inFlight.Count} in flight");
                return;
            }

            while (_queue.TryTakeUsed(out uint head, out uint written))
            {
                Take((ushort)head, written);
            }
        }
    }

    private void Offer(int index)
    {
        ref Slot slot = ref _slots[index];
        if (slot.Busy)
        {
            return;
        }

        // No two at once on the same block: their order would be the device's choice.
        int block;
        do
        {
            block = _random.Next(_disk.Length / BlockBytes);
        }
        while (_slots.Any(other => other.Busy && other.Block == block));
        slot = slot with { Busy = true, Block = block, Writes = _random.Next(2) == 0 };
        if (slot.Writes)
        {
            _random.NextBytes(_disk.AsSpan(block * BlockBytes, BlockBytes));
            _guest.Write(slot.Data, _disk.AsSpan(block * BlockBytes, BlockBytes));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(_header, slot.Writes ? 1u : 0u);
        BinaryPrimitives.WriteUInt64LittleEndian(_header.AsSpan(8), (ulong)(block * SectorsPerBlock));
        _guest.Write(slot.Header, _header);
        _guest.Write(slot.Status, [0xEE]);
        ushort head = _queue.Add(
            new DriverBuffer(slot.Header, 16, false),
            new DriverBuffer(slot.Data, BlockBytes, !slot.Writes),
            new DriverBuffer(slot.Status, 1, true));
        _inFlight.Add(head, index);
        _ = EventFd.Signal(_kick);
    }

    private void Take(ushort head, uint written)
    {
        if (!_inFlight.Remove(head, out int index))
        {
            Errors.Add($"head {head} was answered twice");
            return;
        }

        ref Slot slot = ref _slots[index];
        slot = slot with { Busy = false };
        Answers++;
        byte status = _guest.Read(slot.Status, 1)[0];
        if (status != 0 || written != (slot.Writes ? 1 : BlockBytes + 1))
        {
            Errors.Add($"block {slot.Block}: status {status}, {written} bytes");
        }

        if (!slot.Writes && !_guest.Read(slot.Data, BlockBytes).AsSpan().SequenceEqual(_disk.AsSpan(slot.Block * BlockBytes, BlockBytes)))
        {
            Errors.Add($"block {slot.Block} reads something else than was written");
        }

        long now = Stopwatch.GetTimestamp();
        LongestStall = TimeSpan.FromTicks(Math.Max(LongestStall.Ticks, Stopwatch.GetElapsedTime(_lastAnswer, now).Ticks));
        _lastAnswer = now;
    }

    private bool Wait()
    {
        if (_queue.TryPeekUsed())
        {
            return true;
        }

        int found = Poll.Wait(_call, PollEvents.Readable, 20_000, out _);
        _ = EventFd.TryConsume(_call);
        return found > 0;
    }

    private readonly record struct Slot(GuestAddress Header, GuestAddress Data, GuestAddress Status)
    {
        public bool Busy { get; init; }

        public bool Writes { get; init; }

        public int Block { get; init; }
    }
}
