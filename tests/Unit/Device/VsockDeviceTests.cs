using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

public sealed class VsockDeviceTests : IDisposable
{
    private readonly VsockHarness _vsock = new();

    public void Dispose() => _vsock.Dispose();

    [Fact]
    public void Data_BothWays_ArrivesAndIsCounted()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 5), "hello"u8);
        byte[] got = new byte[16];
        Assert.Equal(5, _vsock.LauncherRead(got));
        Assert.Equal("hello"u8.ToArray(), got[..5]);
        Assert.Equal(3, FdIo.Write(_vsock.Launcher.Number, "abc"u8));
        _vsock.Turn();
        Assert.True(_vsock.TryTake(out VsockPacketHeader header, out byte[] data));
        Assert.Equal((VsockOperation.Data, 5u), (header.Operation, header.ForwardedBytes));
        Assert.Equal("abc"u8.ToArray(), data);
        _vsock.ExpectNothing();
    }

    [Fact]
    public void SecondConnection_ToAMappedPort_IsReset()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Request) with { SourcePort = 778 });
        Assert.Equal(778u, _vsock.Expect(VsockOperation.Reset).DestinationPort);
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 2), "ok"u8); // the first goes on
        Assert.Equal(2, _vsock.LauncherRead(new byte[4]));
    }

    public static TheoryData<string, VsockPacketHeader> Strangers => new()
    {
        { "unknown port", VsockHarness.Header(VsockOperation.Request) with { DestinationPort = 9 } },
        { "wrong destination", VsockHarness.Header(VsockOperation.Request) with { DestinationCid = 7 } },
        { "wrong source", VsockHarness.Header(VsockOperation.Request) with { SourceCid = 4 } },
        { "wrong type", VsockHarness.Header(VsockOperation.Request) with { Type = 2 } },
        { "no connection", VsockHarness.Header(VsockOperation.Data) },
        { "response unasked", VsockHarness.Header(VsockOperation.Response) },
        { "unknown operation", VsockHarness.Header((VsockOperation)0xFFFF) },
    };

    [Theory]
    [MemberData(nameof(Strangers))]
    public void Packet_ThatBelongsToNothing_IsAnsweredByAReset(string what, VsockPacketHeader header)
    {
        Assert.NotEmpty(what);
        _vsock.Send(header);
        VsockPacketHeader reset = _vsock.Expect(VsockOperation.Reset);
        Assert.Equal((header.DestinationPort, header.SourcePort), (reset.SourcePort, reset.DestinationPort));
        _vsock.Send(header with { Operation = VsockOperation.Reset });
        _vsock.ExpectNothing();
        _vsock.Connect(); // the port is still free
    }

    [Theory]
    [InlineData(VsockOperation.Request)]
    [InlineData(VsockOperation.Response)]
    [InlineData(VsockOperation.Invalid)]
    [InlineData((VsockOperation)99)]
    public void Connected_ThenNonsense_IsReset(VsockOperation operation)
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(operation));
        _vsock.Expect(VsockOperation.Reset);
        Assert.Equal(0, _vsock.LauncherRead(new byte[1]));
        _vsock.Send(VsockHarness.Header(VsockOperation.Request)); // a socket serves once
        _vsock.Expect(VsockOperation.Reset);
    }

    [Fact]
    public void Museum13_HeaderLengthBeyondTheChain_IsReset()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 100), new byte[10]);
        _vsock.Expect(VsockOperation.Reset);
        Assert.Equal(0, _vsock.LauncherRead(new byte[1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(43)]
    public void Museum13_PacketShorterThanAHeader_IsDropped(int bytes)
    {
        _vsock.SendRaw(new byte[bytes]);
        _vsock.ExpectNothing();
        Assert.True(_vsock.Transmit.TryTakeUsed(out _, out _));
        _vsock.Connect();
    }

    [Fact]
    public void Museum18_GuestFloodsWhileTheHostStalls_IsBoundByItsCredit()
    {
        _vsock.Connect();
        byte[] chunk = new byte[64 * 1024];
        int accepted = 0;
        while (accepted < 64)
        {
            _vsock.Send(VsockHarness.Header(VsockOperation.Data, (uint)chunk.Length), chunk);
            accepted++;
            if (_vsock.TryTake(out VsockPacketHeader header, out _) && header.Operation == VsockOperation.Reset)
            {
                break;
            }
        }

        // What the socket holds, and 256 KiB: then the guest has overrun its credit and is cut off.
        Assert.InRange(accepted, 5, 16);
    }

    [Fact]
    public void GuestKeepsToItsCredit_SlowLauncher_LosesNothing()
    {
        _vsock.Connect();
        byte[] content = new byte[1024 * 1024];
        new Random(1).NextBytes(content);
        byte[] got = new byte[content.Length];
        uint sent = 0;
        uint forwarded = 0;
        int received = 0;
        while (received < got.Length)
        {
            uint room = VsockConnection.BufferBytes - (sent - forwarded);
            uint length = Math.Min(Math.Min(room, 8192u), (uint)content.Length - sent);
            if (length != 0)
            {
                _vsock.Send(VsockHarness.Header(VsockOperation.Data, length), content.AsSpan((int)sent, (int)length));
                sent += length;
            }
            else
            {
                int count = FdIo.Read(_vsock.Launcher.Number, got.AsSpan(received, Math.Min(10_000, got.Length - received)));
                received += Math.Max(count, 0);
                _vsock.Turn();
            }

            while (_vsock.TryTake(out VsockPacketHeader header, out _))
            {
                Assert.Equal(VsockOperation.CreditUpdate, header.Operation);
                forwarded = header.ForwardedBytes;
                _vsock.GiveBuffers(1);
            }

            while (_vsock.Transmit.TryTakeUsed(out _, out _))
            {
            }
        }

        Assert.Equal(content, got);
    }

    [Fact]
    public void Launcher_SendsMoreThanTheGuestsCredit_WaitsForAnUpdate()
    {
        _vsock.Send(VsockHarness.Header(VsockOperation.Request) with { BufferBytes = 1000 });
        _vsock.Expect(VsockOperation.Response);
        Assert.Equal(3000, FdIo.Write(_vsock.Launcher.Number, new byte[3000]));
        _vsock.Turn();
        Assert.True(_vsock.TryTake(out _, out byte[] first));
        Assert.Equal(1000, first.Length);
        _vsock.Expect(VsockOperation.CreditRequest);
        _vsock.ExpectNothing();
        _vsock.Send(VsockHarness.Header(VsockOperation.CreditUpdate) with { BufferBytes = 1000, ForwardedBytes = 500 });
        Assert.True(_vsock.TryTake(out _, out byte[] second));
        Assert.Equal(500, second.Length);
        _vsock.Send(VsockHarness.Header(VsockOperation.CreditUpdate) with { BufferBytes = 10, ForwardedBytes = 0x8000_0000 }); // makes no sense: no credit
        _vsock.Expect(VsockOperation.CreditRequest);
        _vsock.ExpectNothing();
    }

    [Fact]
    public void CreditRequest_IsAnsweredByAnUpdate()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 4), "1234"u8);
        _vsock.Send(VsockHarness.Header(VsockOperation.CreditRequest));
        VsockPacketHeader update = _vsock.Expect(VsockOperation.CreditUpdate);
        Assert.Equal((uint)VsockConnection.BufferBytes, update.BufferBytes);
        Assert.Equal(4u, update.ForwardedBytes);
    }

    [Fact]
    public void Launcher_EndsItsSide_GuestLearnsAndMayStillSend()
    {
        _vsock.Connect();
        Assert.Equal(4, FdIo.Write(_vsock.Launcher.Number, "last"u8));
        Assert.Equal(0, UnixSocket.ShutdownWrite(_vsock.Launcher.Number));
        _vsock.Turn();
        Assert.True(_vsock.TryTake(out _, out byte[] data));
        Assert.Equal("last"u8.ToArray(), data);
        Assert.Equal(VsockShutdown.Send, _vsock.Expect(VsockOperation.Shutdown).Flags);
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 5), "reply"u8);
        Assert.Equal(5, _vsock.LauncherRead(new byte[8]));
        _vsock.ExpectNothing();
    }

    [Fact]
    public void Guest_EndsItsSide_LauncherReadsEndOfFileAndMayStillSend()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 3), "end"u8);
        _vsock.Send(VsockHarness.Header(VsockOperation.Shutdown) with { Flags = VsockShutdown.Send });
        byte[] got = new byte[8];
        Assert.Equal(3, _vsock.LauncherRead(got));
        Assert.Equal(0, FdIo.Read(_vsock.Launcher.Number, got));
        Assert.Equal(2, FdIo.Write(_vsock.Launcher.Number, "ok"u8));
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Data);
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 1), "x"u8); // said it would not
        _vsock.Expect(VsockOperation.Reset);
    }

    [Fact]
    public void Guest_ClosesAfterSending_LauncherGetsEveryByte()
    {
        _vsock.Connect();
        byte[] content = new byte[200 * 1024];
        new Random(2).NextBytes(content);
        for (int offset = 0; offset < content.Length; offset += 8192)
        {
            int length = Math.Min(8192, content.Length - offset);
            _vsock.Send(VsockHarness.Header(VsockOperation.Data, (uint)length), content.AsSpan(offset, length));
        }

        while (_vsock.TryTake(out _, out _))
        {
        }

        _vsock.Send(VsockHarness.Header(VsockOperation.Shutdown) with { Flags = VsockShutdown.Both });
        _vsock.Expect(VsockOperation.Reset); // the clean end: the guest may forget
        byte[] got = new byte[content.Length];
        int received = 0;
        while (received < got.Length)
        {
            int count = FdIo.Read(_vsock.Launcher.Number, got.AsSpan(received));
            received += Math.Max(count, 0);
            _vsock.Turn();
        }

        Assert.Equal(content, got);
        Assert.Equal(0, FdIo.Read(_vsock.Launcher.Number, got));
        Assert.Equal(-(int)Errno.EPIPE, UnixSocket.Send(_vsock.Launcher.Number, "x"u8, []));
    }

    [Fact]
    public void Launcher_IsGone_GuestIsResetOnItsNextWrite()
    {
        _vsock.Connect();
        _vsock.Launcher.Dispose();
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Shutdown);
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 1), "x"u8);
        _vsock.Expect(VsockOperation.Reset);
    }

    [Fact]
    public void DriverReset_ConnectedPort_LauncherReadsEndOfFile()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Data, 1), "x"u8);
        _vsock.Device.Queues[1].Ring.Stop();
        _vsock.Device.QueueStopped(1);
        Assert.Equal(1, _vsock.LauncherRead(new byte[1]));
        Assert.Equal(0, _vsock.LauncherRead(new byte[1]));
    }

    [Fact]
    public void GuestGivesUpBeforeAByte_TheNextConnectionIsTaken()
    {
        _vsock.Connect();
        _vsock.Send(VsockHarness.Header(VsockOperation.Reset)); // its program had stopped waiting
        _vsock.ExpectNothing();
        _vsock.Connect();
        Assert.Equal(2, FdIo.Write(_vsock.Launcher.Number, "hi"u8));
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Data);
        _vsock.Send(VsockHarness.Header(VsockOperation.Reset));
        _vsock.Send(VsockHarness.Header(VsockOperation.Request));
        _vsock.Expect(VsockOperation.Reset);
        Assert.Equal(0, _vsock.LauncherRead(new byte[1]));
    }

    [Fact]
    public void Museum11_HeaderRewrittenWhileDispatched_IsReadOnce()
    {
        _vsock.Connect();
        byte[] packet = new byte[VsockPacketHeader.SizeBytes + 64];
        VsockHarness.Header(VsockOperation.Data, 64).Encode(packet);
        Sandbox.Memory.GuestAddress address = _vsock.Guest.Place(packet);
        Sandbox.Memory.GuestAddress length = new(address.Value + 24);
        bool stop = false;
        Thread flipper = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                _vsock.Guest.Write(length, [0, 0, 0, 0]);
                _vsock.Guest.Write(length, [64, 0, 0, 0]);
            }
        });
        flipper.Start();
        byte[] sink = new byte[4096];
        for (int round = 0; round < 20_000; round++)
        {
            _vsock.Transmit.Add(new Sandbox.Testing.DriverBuffer(address, (uint)packet.Length, false));
            _vsock.Turn();
            int count = FdIo.Read(_vsock.Launcher.Number, sink);
            Assert.True(count is 64 or -(int)Errno.EAGAIN, $"{count} bytes"); // one of the two lengths, never a mixture
            while (_vsock.TryTake(out _, out _))
            {
                _vsock.GiveBuffers(1);
            }
        }

        Volatile.Write(ref stop, true);
        flipper.Join();
    }

    [Fact]
    public void Resets_WithoutReceiveBuffers_HoldTheGuestBackAndAreNotLost()
    {
        using VsockHarness starved = new(rxBuffers: 0);
        int sent = 0;
        while (sent < 100)
        {
            starved.Send(VsockHarness.Header(VsockOperation.Request) with { DestinationPort = 5, SourcePort = (uint)sent++ });
            if (!starved.Transmit.TryTakeUsed(out _, out _))
            {
                break;
            }
        }

        Assert.Equal(65, sent); // 64 wait; the next packet is not even taken
        int resets = 0;
        for (int round = 0; round < 8; round++)
        {
            starved.GiveBuffers(16);
            starved.Turn();
            while (starved.TryTake(out VsockPacketHeader header, out _))
            {
                Assert.Equal((uint)resets++, header.DestinationPort);
            }
        }

        Assert.Equal(65, resets);
    }

    [Fact]
    public void ReceiveBuffer_WithoutRoomForData_StopsTheQueue()
    {
        using VsockHarness starved = new(rxBuffers: 0);
        starved.Receive.Add(new Sandbox.Testing.DriverBuffer(starved.Guest.Allocate(64), VsockPacketHeader.SizeBytes, true));
        starved.Send(VsockHarness.Header(VsockOperation.Request));
        Assert.Equal(Sandbox.Virtio.VirtqueueFault.RequestUnanswerable, starved.Device.Queues[0].Ring.Fault);
    }
}
