using Sandbox.Device.Block;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Requests that wait for a medium: many at once, in threads, and none of them left when the ring or the memory goes.</summary>
public sealed class BlockWorkerTests
{
    private const int PieceBytes = 16 * 1024;
    private const int PieceSectors = PieceBytes / 512;

    [Fact]
    public void Requests_MoreThanThereIsRoomFor_AreAllAnsweredAndTheLoopDoesNotSpin()
    {
        using MediumHarness disk = new();
        (GuestAddress data, List<GuestAddress> states) = OfferReads(disk, 60);
        Assert.False(disk.Device.Work()); // more is there, but nothing to be done about it until one ends
        Assert.Equal(BlockJobs.MostJobs, disk.Ring.NextAvailableIndex);
        disk.ServeUntil(60);
        RequireRead(disk, data, states);
        Assert.Equal(0, disk.Ring.InFlightCount);
        Assert.False(disk.Device.Work());
        Assert.Equal(60, disk.Driver.KickWantedAt); // and now a kick is wanted again
    }

    [Fact]
    public void Read_OfWhatIsInMemory_PassesAFlushThatWaits()
    {
        using MediumHarness disk = new(direct: false);
        GuestAddress data = disk.Guest.Allocate(PieceBytes, 4096);
        _ = disk.Offer(MediumHarness.Flush, 0);
        (ushort read, GuestAddress status) = disk.Offer(MediumHarness.In, 0, new DriverBuffer(data, PieceBytes, true));
        _ = disk.Device.Work();
        Assert.True(disk.Driver.TryTakeUsed(out uint first, out _));
        Assert.Equal(read, first);
        Assert.Equal(0, disk.Guest.Read(status, 1)[0]);
        disk.ServeUntil(2);
    }

    [Fact]
    public void Writes_AndReads_OfEverySize_MoveEveryByte()
    {
        using MediumHarness disk = new();
        byte[] expected = (byte[])disk.Content.Clone();
        Random random = new(11);
        List<GuestAddress> states = [];
        GuestAddress room = disk.Guest.Allocate(2 << 20, 4096);
        ulong next = room.Value;
        for (int piece = 0; piece < 32; piece++)
        {
            int bytes = 4096 * random.Next(1, 16);
            byte[] content = new byte[bytes];
            random.NextBytes(content);
            content.CopyTo(expected, piece * 128 * 1024);
            GuestAddress from = new(next + (piece % 3 == 0 ? 1u : 0)); // now and then one that does not suit the medium
            next += 4096 + (uint)bytes;
            if (next > room.Value + (2 << 20))
            {
                break;
            }

            disk.Guest.Write(from, content);
            states.Add(disk.Offer(MediumHarness.Out, (ulong)piece * 256, new DriverBuffer(from, (uint)bytes, false)).Status);
        }

        states.Add(disk.Offer(MediumHarness.Flush, 0).Status);
        disk.ServeUntil(states.Count);
        Assert.All(states, status => Assert.Equal(0, disk.Guest.Read(status, 1)[0]));
        byte[] content2 = File.ReadAllBytes(disk.Medium.Path);
        int written = 128 * 1024 * (states.Count - 1);
        Assert.True(expected.AsSpan(0, written).SequenceEqual(content2.AsSpan(0, written)));
    }

    [Fact]
    public void Queue_TakenAwayWhileItsRequestsAreInWork_HasAnsweredThem()
    {
        for (int round = 0; round < 20; round++)
        {
            using MediumHarness disk = new();
            (GuestAddress data, List<GuestAddress> states) = OfferReads(disk, 60);
            _ = disk.Device.Work();
            Assert.NotEqual(0, disk.Ring.InFlightCount);
            disk.Device.QueueStopping(0);
            Assert.Equal(0, disk.Ring.InFlightCount);
            ushort position = disk.Ring.NextAvailableIndex;
            Assert.Equal(position, disk.Driver.UsedIndex); // what was taken is answered, what was not is not touched
            disk.Ring.Stop();
            RequireRead(disk, data, states[..position]);
            Assert.All(states[position..], status => Assert.Equal(0xEE, disk.Guest.Read(status, 1)[0]));
        }
    }

    [Fact]
    public void Memory_ReplacedWhileRequestsAreInWork_IsNotTouchedAfter()
    {
        using MediumHarness disk = new();
        for (int round = 0; round < 10; round++)
        {
            int before = disk.Driver.UsedIndex;
            GuestAddress data = disk.Guest.Allocate(16 * PieceBytes, 4096);
            for (int piece = 0; piece < 16; piece++)
            {
                _ = disk.Offer(MediumHarness.In, (ulong)(piece * PieceSectors), Piece(data, piece));
            }

            _ = disk.Device.Work();
            // As RingControl does it: what is in work first, then the ring, then the memory. Pages that were unmapped would be EFAULT, an I/O error.
            disk.Device.QueueStopping(0);
            ushort position = disk.Ring.NextAvailableIndex;
            disk.Ring.Stop();
            using GuestMemory next = GuestMemory.Map(disk.Guest.File.Number, TestGuest.Regions);
            disk.Configure(next, position);
            disk.ServeUntil((ushort)(before + 16));
            disk.Device.QueueStopping(0);
            disk.Ring.Stop();
            Assert.Equal(disk.Content[..(16 * PieceBytes)], disk.Guest.Read(data, 16 * PieceBytes));
            disk.Guest.Write(data, new byte[16 * PieceBytes]);
            disk.Configure(disk.Guest.Memory, disk.Driver.UsedIndex);
            if (round % 2 == 1)
            {
                break; // the guest of a test is small
            }
        }
    }

    [Fact]
    public void WriteThrough_ChosenWhileWritesAreInWork_WaitsForThem()
    {
        using MediumHarness disk = new();
        GuestAddress data = disk.Guest.Allocate(16 * PieceBytes, 4096);
        for (int piece = 0; piece < 16; piece++)
        {
            _ = disk.Offer(MediumHarness.Out, (ulong)(piece * PieceSectors), Piece(data, piece) with { DeviceWrites = false });
        }

        _ = disk.Device.Work();
        Assert.True(disk.Device.TryWriteConfig(BlockConfigSpace.WritebackOffset, [0]));
        Assert.Equal(0, disk.Ring.InFlightCount);
        Assert.Equal(disk.Ring.NextAvailableIndex, disk.Driver.UsedIndex);
        disk.ServeUntil(16); // the rest are write-through
        Assert.Equal(new byte[16 * PieceBytes], File.ReadAllBytes(disk.Medium.Path)[..(16 * PieceBytes)]);
    }

    private static (GuestAddress Data, List<GuestAddress> States) OfferReads(MediumHarness disk, int count)
    {
        GuestAddress data = disk.Guest.Allocate((uint)(count * PieceBytes), 4096);
        List<GuestAddress> states = [];
        for (int piece = 0; piece < count; piece++)
        {
            states.Add(disk.Offer(MediumHarness.In, (ulong)(piece * PieceSectors), Piece(data, piece)).Status);
        }

        return (data, states);
    }

    private static DriverBuffer Piece(GuestAddress data, int piece) => new(new GuestAddress(data.Value + (uint)(piece * PieceBytes)), PieceBytes, true);

    private static void RequireRead(MediumHarness disk, GuestAddress data, List<GuestAddress> states)
    {
        Assert.All(states, status => Assert.Equal(0, disk.Guest.Read(status, 1)[0]));
        int bytes = states.Count * PieceBytes;
        Assert.True(disk.Content.AsSpan(0, bytes).SequenceEqual(disk.Guest.Read(data, bytes)));
    }
}
