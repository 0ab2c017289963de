using System.Buffers.Binary;
using Sandbox.Device.Net;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Several pairs of queues: the control queue, and which frame goes where.</summary>
public sealed class NetQueueTests
{
    private const int FlowCount = 64;

    [Fact]
    public void Device_WithOnePair_OffersNoControlQueue()
    {
        using NetHarness net = new();
        Assert.Equal(0ul, net.Device.OfferedFeatures & (NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue));
        Assert.Equal(2, net.Device.Queues.Length);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(net.Device.ConfigSpace[8..]));
    }

    [Fact]
    public void Device_WithSeveralPairs_OffersThemAndAControlQueue()
    {
        using NetHarness net = new(pairs: 3);
        Assert.Equal(NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue, net.Device.OfferedFeatures & (NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue));
        Assert.Equal(7, net.Device.Queues.Length);
        Assert.Equal(3, BinaryPrimitives.ReadUInt16LittleEndian(net.Device.ConfigSpace[8..]));
    }

    [Fact]
    public void Receive_BeforeTheDriverChose_GoesToTheFirstPair()
    {
        using NetHarness net = new(pairs: 2, queueSize: 128);
        Assert.Equal([FlowCount, 0], Spread(net));
    }

    [Fact]
    public void Receive_OfUnknownFlows_IsSpreadOverTheChosenPairs()
    {
        using NetHarness net = new(pairs: 3, queueSize: 128);
        Assert.Equal(NetControl.Ok, net.UsePairs(2));
        int[] two = Spread(net);
        Assert.Equal((FlowCount, 0), (two[0] + two[1], two[2]));
        Assert.All(two[..2], static count => Assert.InRange(count, FlowCount / 4, FlowCount));
        Assert.Equal(NetControl.Ok, net.UsePairs(3));
        Assert.All(Spread(net), static count => Assert.InRange(count, FlowCount / 8, FlowCount));
        Assert.Equal(NetControl.Ok, net.UsePairs(1));
        Assert.Equal([FlowCount, 0, 0], Spread(net));
    }

    [Fact]
    public void Receive_OfAFlow_GoesToThePairThatItWasSentOnLast()
    {
        using NetHarness net = new(pairs: 2);
        net.UsePairs(2);
        net.GiveBuffers(16, 1600);
        net.GiveBuffers(16, 1600, pair: 1);
        for (int round = 0; round < 8; round++)
        {
            int pair = round & 1;
            net.Send(Flow(7, outgoing: true), pair: pair);
            net.Put(Flow(7, outgoing: false));
            Assert.Equal(Flow(7, outgoing: false), net.Take(pair)!.Value.Frame);
            Assert.Null(net.Take(1 - pair));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("04")]
    [InlineData("0400")]
    [InlineData("040002")] // a byte is missing
    [InlineData("0400020000")] // one too many
    [InlineData("04000000")]
    [InlineData("04000400")] // more than there are
    [InlineData("0400FFFF")]
    [InlineData("04010200")] // receive-side scaling, which was not offered
    [InlineData("00000100")] // promiscuous
    [InlineData("FF000200")]
    public void Command_ThatIsNotServed_IsAnsweredWithAnError(string command)
    {
        using NetHarness net = new(pairs: 3, queueSize: 128);
        Assert.Equal(NetControl.Ok, net.UsePairs(2));
        Assert.Equal(NetControl.Error, net.Command(Convert.FromHexString(command)));
        Assert.Equal(0, Spread(net)[2]);
        Assert.Equal(NetControl.Ok, net.UsePairs(3));
    }

    [Fact]
    public void Command_WithoutRoomForItsAnswer_StopsTheControlQueueOnly()
    {
        using NetHarness net = new(pairs: 2);
        net.Control.Add(new DriverBuffer(net.Guest.Place([4, 0, 2, 0]), 4, false));
        net.Turn();
        Assert.Equal(VirtqueueFault.RequestUnanswerable, net.Device.Queues[4].Ring.Fault);
        Assert.False(net.Control.TryPeekUsed());
        net.Send(NetHarness.Frame());
        Assert.NotEmpty(net.Arrived());
    }

    [Fact]
    public void Command_InPiecesOrWithMoreRoomThanNeeded_IsTheSame()
    {
        using NetHarness net = new(pairs: 2);
        GuestAddress answer = net.Guest.Place([0xEE, 0xEE, 0xEE]);
        net.Control.AddIndirect(
            new DriverBuffer(net.Guest.Place([4]), 1, false), new DriverBuffer(net.Guest.Place([0, 2]), 2, false), new DriverBuffer(net.Guest.Place([0]), 1, false),
            new DriverBuffer(answer, 3, true));
        net.Turn();
        Assert.True(net.Control.TryTakeUsed(out _, out uint written));
        Assert.Equal(1u, written);
        Assert.Equal([0, 0xEE, 0xEE], net.Guest.Read(answer, 3));
    }

    [Fact]
    public void Driver_WithoutMultiQueue_HasTheControlQueueBehindItsOnePair()
    {
        using NetHarness net = new(~NetFeatureBits.MultiQueue, pairs: 2, queueSize: 128);
        Assert.Equal(3, net.QueueCount);
        Assert.Equal(NetControl.Error, net.UsePairs(1));
        EveryFlowArrivesOnTheFirstPair(net);
    }

    [Fact]
    public void Frontend_ThatKeepsTheControlQueue_UsesThePairsWhoseRingsRun()
    {
        // As QEMU does: MQ without CTRL_VQ, and rings that are switched on and off.
        using NetHarness net = new(~NetFeatureBits.ControlQueue, pairs: 2, queueSize: 128);
        Assert.All(Spread(net), static count => Assert.InRange(count, FlowCount / 4, FlowCount));
        net.Device.Queues[2].Ring.Stop();
        net.Device.QueueStopped(2);
        Assert.Equal([FlowCount, 0], Spread(net));
    }

    [Fact]
    public void Receive_OnAPairThatNeverHadBuffers_GoesToTheFirst()
    {
        using NetHarness net = new(pairs: 2, queueSize: 128);
        net.UsePairs(2);
        EveryFlowArrivesOnTheFirstPair(net);
    }

    [Fact]
    public void Receive_OnAPairThatRanOutOfBuffers_WaitsAndKeepsItsOrder()
    {
        using NetHarness net = new(pairs: 2);
        net.UsePairs(2);
        net.GiveBuffers(8, 200);
        net.GiveBuffers(1, 200, pair: 1);
        net.Send(Flow(3, outgoing: true), pair: 1);
        net.Put(Flow(3, outgoing: false));
        net.Put(Flow(3, outgoing: false, bytes: 90));
        Assert.Equal(60, net.Take(1)!.Value.Frame.Length);
        Assert.Null(net.Take(0));
        Assert.False(net.IsWoken);
        net.GiveBuffers(1, 200, pair: 1);
        net.Turn();
        Assert.Equal(90, net.Take(1)!.Value.Frame.Length);
    }

    [Fact]
    public void Receive_ThatWaitsForAPairTakenAway_GoesToTheFirst()
    {
        using NetHarness net = new(pairs: 2);
        net.UsePairs(2);
        net.GiveBuffers(8, 200);
        net.GiveBuffers(1, 200, pair: 1);
        net.Send(Flow(3, outgoing: true), pair: 1);
        net.Put(Flow(3, outgoing: false));
        net.Put(Flow(3, outgoing: false));
        Assert.NotNull(net.Take(1));
        Assert.Null(net.Take(0));
        Assert.Equal(NetControl.Ok, net.UsePairs(1));
        Assert.NotNull(net.Take(0));
    }

    [Fact]
    public void Receive_WhenAnotherPairsQueueIsBroken_GoesOn()
    {
        using NetHarness net = new(pairs: 2);
        net.UsePairs(2);
        net.GiveBuffers(8, 200);
        net.GiveBuffers(1, 3, pair: 1); // no room for a header
        net.Send(Flow(3, outgoing: true), pair: 1);
        net.Put(Flow(3, outgoing: false));
        Assert.Equal(VirtqueueFault.RequestUnanswerable, net.Device.Queues[2].Ring.Fault);
        Assert.NotNull(net.Take(0));
    }

    [Fact]
    public void Transmit_OnAPairThatWasTakenAway_IsSentAllTheSame()
    {
        using NetHarness net = new(pairs: 2);
        net.UsePairs(2);
        net.UsePairs(1);
        net.Send(NetHarness.Frame(), pair: 1);
        Assert.Equal(NetHarness.Frame(), net.Arrived());
    }

    [Fact]
    public void Transmit_WhenTheOtherEndIsSlow_EveryPairHasItsTurn()
    {
        using NetHarness net = new(pairs: 3, queueSize: 128);
        net.UsePairs(3);
        byte[] frame = NetHarness.Frame(bytes: 60_000);
        GuestAddress packet = net.Guest.Place([.. new byte[NetHeader.SizeBytes], .. frame]);
        for (int index = 0; index < 60; index++)
        {
            net.TransmitOf(1).Add(new DriverBuffer(packet, (uint)(NetHeader.SizeBytes + frame.Length), false));
            net.TransmitOf(2).Add(new DriverBuffer(packet, (uint)(NetHeader.SizeBytes + frame.Length), false));
        }

        net.Turn();
        for (int arrived = 0; arrived < 50; arrived++)
        {
            Assert.NotEmpty(net.Arrived());
            net.Turn();
        }

        Assert.InRange(net.TransmitOf(1).UsedIndex, 10, 50);
        Assert.InRange(net.TransmitOf(2).UsedIndex, 10, 50);
    }

    [Fact]
    public void Features_AgreedAnew_BringOnePairBack()
    {
        using NetHarness net = new(pairs: 2, queueSize: 256);
        net.UsePairs(2);
        for (int index = 0; index < 5; index++)
        {
            net.Device.Queues[index].Ring.Stop();
            net.Device.QueueStopped(index);
        }

        net.Device.FeaturesAgreed(net.Features);
        for (int index = 0; index < 5; index++)
        {
            net.StartQueue(index);
        }

        // Nothing is kept in this harness, and the control queue has been used: one pair is right for any driver.
        Assert.Equal([FlowCount, 0], Spread(net));
    }

    [Theory]
    [InlineData(0, 0, 1)] // nothing kept, a driver that begins
    [InlineData(2, 0, 1)] // what another driver chose
    [InlineData(0, 1, 1)]
    [InlineData(2, 1, 2)] // a predecessor's
    [InlineData(3, 1, 1)] // more than there are: whoever wrote that
    [InlineData(65535, 1, 1)]
    public void Successor_TakesWhatWasKept_WhereTheControlQueueWasUsed(int kept, int answered, int expected)
    {
        using FdHandle file = MemFd.Create("kept");
        LinuxException.Check(FdIo.WriteAll(file.Number, [(byte)(kept & 0xFF), (byte)(kept >> 8), 0, 0]), "write");
        using TestGuest guest = new();
        DeviceQueues queues = new(guest);
        NetQueues pairs = new(queues.All, new KeptPairs(file.Number));
        pairs.FeaturesAgreed(NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue);
        Assert.Equal(1, pairs.InUse);
        queues.Start(4, (ushort)answered);
        pairs.Started(4);
        Assert.Equal(expected, pairs.InUse);

        // A change of memory starts the ring again: the choice stays.
        pairs.Choose(2);
        pairs.Started(4);
        Assert.Equal(2, pairs.InUse);
        Assert.Equal(2, new KeptPairs(file.Number).Value);
    }

    /// <summary>How many of as many flows come to each pair.</summary>
    private static int[] Spread(NetHarness net)
    {
        int pairs = net.Device.Queues.Length / 2;
        int[] counts = new int[pairs];
        for (int pair = 0; pair < pairs; pair++)
        {
            net.GiveBuffers(1, 200, pair);
        }

        for (int flow = 0; flow < FlowCount; flow++)
        {
            net.Put(Flow(flow, outgoing: false));
            for (int pair = 0; pair < pairs; pair++)
            {
                if (net.Take(pair) is { } packet)
                {
                    Assert.Equal(Flow(flow, outgoing: false), packet.Frame);
                    counts[pair]++;
                    net.GiveBuffers(1, 200, pair);
                }
            }
        }

        return counts;
    }

    /// <summary>A TCP segment of one of many connections, or its answer.</summary>
    private static byte[] Flow(int number, bool outgoing, int bytes = 60)
    {
        byte[] frame = NetHarness.Frame(outgoing ? NetHarness.Own : NetHarness.Other, outgoing ? "198.51.100.7" : "198.51.100.1", bytes);
        byte[] other = outgoing ? [198, 51, 100, 1] : [198, 51, 100, 7];
        other.CopyTo(frame, 26);
        frame[23] = 6;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(outgoing ? 34 : 36), (ushort)(40000 + number));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(outgoing ? 36 : 34), 80);
        return frame;
    }

    private sealed class DeviceQueues(TestGuest guest)
    {
        internal Sandbox.Device.DeviceQueue[] All { get; } = [.. Enumerable.Range(0, 5).Select(static _ => new Sandbox.Device.DeviceQueue())];

        internal void Start(int index, ushort usedIndex) => Assert.Equal(
            VirtqueueFault.None,
            All[index].Ring.Configure(guest.Memory, new DriverQueue(guest, 16, usedIndex).Layout, VirtioFeatureBits.Version1, usedIndex));
    }

    private static void EveryFlowArrivesOnTheFirstPair(NetHarness net)
    {
        net.GiveBuffers(FlowCount, 200);
        for (int flow = 0; flow < FlowCount; flow++)
        {
            net.Put(Flow(flow, outgoing: false));
            Assert.NotNull(net.Take());
        }
    }
}
