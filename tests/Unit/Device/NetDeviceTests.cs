using System.Buffers.Binary;
using Sandbox.Device.Net;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Device;

public sealed class NetDeviceTests
{
    [Fact]
    public void Transmit_OfTheGuestsOwnFrame_Arrives()
    {
        using NetHarness net = new();
        net.Send(NetHarness.Frame());
        Assert.Equal(NetHarness.Frame(), net.Arrived());
    }

    [Fact]
    public void Transmit_FromAnothersAddress_IsDropped()
    {
        using NetHarness net = new();
        net.Send(NetHarness.Frame(source: NetHarness.Other));
        net.Send(NetHarness.Frame(source: 0));
        Assert.Empty(net.Arrived());
        Assert.Equal(2ul, net.Device.Drops[NetDrop.ForeignSource]);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("169.254.169.254")]
    public void Transmit_ToTheHostsOwnAddress_IsDropped(string destination)
    {
        using NetHarness net = new();
        net.Send(NetHarness.Frame(destination: destination));
        Assert.Empty(net.Arrived());
        Assert.Equal(1ul, net.Device.Drops[NetDrop.ForbiddenDestination]);
    }

    [Theory]
    [InlineData("00000000000000000000000000000001", false)]
    [InlineData("00000000000000000000000000000000", false)]
    [InlineData("00000000000000000000ffff7f000001", false)]
    [InlineData("20010db8000000000000000000000001", true)]
    public void Transmit_OverIPv6_IsJudgedByItsDestination(string destination, bool goes)
    {
        using NetHarness net = new();
        byte[] frame = NetHarness.Frame(type: EtherTypes.IPv6, bytes: 80);
        Convert.FromHexString(destination).CopyTo(frame, 38);
        net.Send(frame);
        Assert.Equal(goes ? frame : [], net.Arrived());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    [InlineData(33)] // an IPv4 header without its destination
    [InlineData(65539)] // more than the MTU
    public void Transmit_OfAMalformedLength_IsDropped(int bytes)
    {
        using NetHarness net = new();
        net.Send(bytes < 14 ? new byte[bytes] : NetHarness.Frame(bytes: bytes));
        Assert.Empty(net.Arrived());
    }

    [Fact]
    public void Transmit_OfLessThanAHeader_IsDropped()
    {
        using NetHarness net = new();
        net.SendRaw(new byte[11]);
        net.SendRaw(new byte[12]);
        Assert.Empty(net.Arrived());
        Assert.Equal(2ul, net.Device.Drops[NetDrop.Malformed]);
    }

    [Fact]
    public void Transmit_WithOffloadsThatWereNotOffered_IsDropped()
    {
        using NetHarness net = new();
        net.Send(NetHarness.Frame(), new NetHeader(NetHeaderFlags.NeedsChecksum, NetSegmentation.None, 0, 0, 34, 6, 0));
        net.Send(NetHarness.Frame(), new NetHeader(NetHeaderFlags.None, NetSegmentation.Tcp4, 54, 1400, 0, 0, 0));
        Assert.Empty(net.Arrived());
        Assert.Equal(2ul, net.Device.Drops[NetDrop.Malformed]);
    }

    [Fact]
    public void Transmit_WhenTheOtherEndReadsNothing_WaitsAndLosesNothing()
    {
        using NetHarness net = new(queueSize: 128);
        byte[] frame = NetHarness.Frame(bytes: 30000);
        GuestAddress packet = net.Guest.Place([.. new byte[NetHeader.SizeBytes], .. frame]);
        for (int index = 0; index < 100; index++)
        {
            net.Transmit.Add(new DriverBuffer(packet, (uint)(NetHeader.SizeBytes + frame.Length), false));
        }

        net.Turn();
        Assert.True(net.Transmit.UsedIndex < 100);
        Assert.False(net.IsWoken); // it waits for room, it does not spin
        int arrived = 0;
        while (arrived < 100)
        {
            Assert.Equal(frame, net.Arrived());
            arrived++;
            net.Turn();
        }

        Assert.Equal(100, net.Transmit.UsedIndex);
    }

    [Fact]
    public void Receive_OfAFrame_HasAHeaderBeforeIt()
    {
        using NetHarness net = new();
        net.GiveBuffers(2, 1600);
        net.Put(NetHarness.Frame());
        (NetHeader header, byte[] frame) = net.Take()!.Value;
        Assert.Equal(NetHarness.Frame(), frame);
        Assert.Equal(new NetHeader(NetHeaderFlags.ChecksumValid, NetSegmentation.None, 0, 0, 0, 0, 1), header);
        Assert.Null(net.Take());
    }

    [Fact]
    public void Receive_WithoutChecksumFeature_ClaimsNothing()
    {
        using NetHarness net = new(~NetFeatureBits.GuestChecksum);
        net.GiveBuffers(1, 1600);
        net.Put(NetHarness.Frame());
        Assert.Equal(NetHeaderFlags.None, net.Take()!.Value.Header.Flags);
    }

    /// <summary>Finding 4 of the fuzzer (fuzz/FINDINGS.md).</summary>
    [Fact]
    public void Receive_WithEcnOfNoSegment_ClaimsNoSegmentation()
    {
        (FdHandle tap, FdHandle network) = UnixSocket.CreatePair();
        using (tap)
        using (network)
        using (NetHarness net = new(~NetFeatureBits.GuestEcn, backing: new TapBacking(tap.Number)))
        {
            byte[] packet = [.. new byte[NetHeader.SizeBytes], .. NetHarness.Frame()];
            new NetHeader(NetHeaderFlags.ChecksumValid, NetSegmentation.Ecn, 0, 0, 0, 0, 0).Encode(packet);
            FdIo.SetNonBlocking(tap.Number, true);
            net.GiveBuffers(1, 1600);
            Assert.Equal(packet.Length, UnixSocket.Send(network.Number, packet, []));
            net.Turn();
            (NetHeader header, byte[] frame) = net.Take()!.Value;
            Assert.Equal(NetHarness.Frame(), frame);
            Assert.Equal(new NetHeader(NetHeaderFlags.ChecksumValid, NetSegmentation.None, 0, 0, 0, 0, 1), header);
        }
    }

    /// <summary>A finding of the fuzzer (fuzz/FINDINGS.md): the sum was made again at each try, over what the first had put there.</summary>
    [Fact]
    public void Receive_OfAnUnfinishedChecksumThatHasToWait_IsFinishedOnce()
    {
        (FdHandle tap, FdHandle network) = UnixSocket.CreatePair();
        using (tap)
        using (network)
        using (NetHarness net = new(~NetFeatureBits.GuestChecksum, backing: new TapBacking(tap.Number)))
        {
            byte[] packet = [.. new byte[NetHeader.SizeBytes], .. NetHarness.Frame()];
            new NetHeader(NetHeaderFlags.NeedsChecksum, NetSegmentation.None, 0, 0, 34, 16, 0).Encode(packet);
            byte[] whole = NetHarness.Frame();
            Assert.True(InternetChecksum.TryComplete(whole, 34, 16));
            FdIo.SetNonBlocking(tap.Number, true);
            Assert.Equal(packet.Length, UnixSocket.Send(network.Number, packet, []));
            net.Turn(); // once: a sum over its result gives back what stood there, and the third would be right again
            net.GiveBuffers(1, 1600);
            net.Turn();
            (NetHeader header, byte[] frame) = net.Take()!.Value;
            Assert.Equal(whole, frame);
            Assert.Equal(new NetHeader(NetHeaderFlags.None, NetSegmentation.None, 0, 0, 0, 0, 1), header);
        }
    }

    [Fact]
    public void Receive_InPiecesOfTheStream_IsWhole()
    {
        using NetHarness net = new();
        net.GiveBuffers(2, 1600);
        byte[] bytes = [0, 0, 0, 60, .. NetHarness.Frame(), 0, 0, 0, 70, .. NetHarness.Frame(bytes: 70)];
        foreach (byte one in bytes)
        {
            net.PutRaw([one]);
        }

        Assert.Equal(60, net.Take()!.Value.Frame.Length);
        Assert.Equal(70, net.Take()!.Value.Frame.Length);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(13u)]
    [InlineData(65554u)]
    [InlineData(uint.MaxValue)]
    public void Stream_ThatLiesAboutALength_IsTheEnd(uint length)
    {
        using NetHarness net = new();
        net.GiveBuffers(1, 1600);
        byte[] prefix = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(prefix, length);
        Assert.Throws<LinuxException>(() => net.PutRaw(prefix));
    }

    [Fact]
    public void Receive_WithoutBuffers_WaitsForThemAndNotForTheNetwork()
    {
        using NetHarness net = new();
        net.Put(NetHarness.Frame());
        net.Put(NetHarness.Frame(bytes: 90));
        Assert.Null(net.Take());
        Assert.False(net.IsWoken);
        net.GiveBuffers(2, 1600);
        net.Turn();
        Assert.Equal(60, net.Take()!.Value.Frame.Length);
        Assert.Equal(90, net.Take()!.Value.Frame.Length);
    }

    [Fact]
    public void Receive_LargerThanABuffer_IsSpreadWhereThatWasAgreed()
    {
        using NetHarness net = new();
        net.GiveBuffers(5, 1000);
        byte[] large = NetHarness.Frame(bytes: 4500);
        net.Put(large);
        (NetHeader header, byte[] frame) = net.Take()!.Value;
        Assert.Equal(5, header.BufferCount);
        Assert.Equal(large, frame);
    }

    [Fact]
    public void Receive_LargerThanABuffer_IsDroppedWhereItWasNotAgreed()
    {
        using NetHarness net = new(~NetFeatureBits.MergeableBuffers);
        net.GiveBuffers(5, 1000);
        net.Put(NetHarness.Frame(bytes: 4500));
        Assert.Null(net.Take());
        Assert.Equal(1ul, net.Device.Drops[NetDrop.NotReceivable]);
        net.Put(NetHarness.Frame(bytes: 500));
        Assert.Equal(500, net.Take()!.Value.Frame.Length);
    }

    [Fact]
    public void Museum17_MergeableWithTinyBuffers_LeavesNothingInFlight()
    {
        using NetHarness net = new(queueSize: 16);
        net.GiveBuffers(10, 20);
        byte[] frame = NetHarness.Frame(bytes: 300);
        net.Put(frame); // 10 buffers of 20 hold 12 + 188: it waits for more
        Assert.Null(net.Take());
        Assert.Equal(0, net.Device.Queues[0].Ring.InFlightCount);
        net.GiveBuffers(6, 20);
        net.Turn();
        Assert.Equal(300, net.Take()!.Value.Frame.Length);

        net.GiveBuffers(16, 13); // the whole queue: no driver could give more
        net.Put(frame);
        Assert.Null(net.Take());
        Assert.Equal(1ul, net.Device.Drops[NetDrop.NotReceivable]);
        Assert.Equal(0, net.Device.Queues[0].Ring.InFlightCount);
        net.Put(NetHarness.Frame(bytes: 14));
        Assert.Equal(14, net.Take()!.Value.Frame.Length);
    }

    [Theory]
    [InlineData(11u)] // no room for the header
    [InlineData(0u)]
    public void Museum17_BufferWithoutRoomForAHeader_StopsTheQueue(uint bytes)
    {
        using NetHarness net = new();
        net.GiveBuffers(1, bytes);
        net.Put(NetHarness.Frame());
        Assert.Equal(VirtqueueFault.RequestUnanswerable, net.Device.Queues[0].Ring.Fault);
        Assert.Equal(0, net.Device.Queues[0].Ring.InFlightCount);
        net.Send(NetHarness.Frame()); // the other queue works on
        Assert.Equal(60, net.Arrived().Length);
    }

    [Fact]
    public void Rate_WhenExceeded_HoldsFramesBackInBothDirections()
    {
        using NetHarness net = new(queueSize: 32, bytesPerSecond: 1000);
        byte[] frame = NetHarness.Frame(bytes: 60000);
        GuestAddress packet = net.Guest.Place([.. new byte[NetHeader.SizeBytes], .. frame]);
        net.GiveBuffers(20, 61000);
        for (int index = 0; index < 6; index++)
        {
            net.Transmit.Add(new DriverBuffer(packet, (uint)(NetHeader.SizeBytes + frame.Length), false));
            net.Put(frame);
            while (net.Arrived().Length != 0)
            {
            }
        }

        // A bucket of 256 KiB lets five of 60,000 bytes go; the next waits for the debt of some 40 s.
        Assert.Equal(5, net.Transmit.UsedIndex);
        Assert.Equal(5, net.Receive.UsedIndex);
        Assert.Equal(1000, net.Device.WaitMilliseconds);
        Assert.False(net.IsWoken);
    }
}
