using Sandbox.Control.Launch;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Testing;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Many connections of a port of the host's: sockets beyond the first come from the launcher.</summary>
public sealed class VsockManyTests : IDisposable
{
    private const int Slots = 4;

    private readonly VsockManyHarness _vsock = VsockManyHarness.Create(Slots);

    public void Dispose() => _vsock.Dispose();

    [Fact]
    public void Connections_SeveralAtOnce_EachHasItsOwnSocket()
    {
        _vsock.ConnectFirst(100);
        List<FdHandle> programs = [_vsock.First];
        for (uint guest = 101; guest <= 100 + Slots; guest++)
        {
            programs.Add(guest % 2 == 0 ? _vsock.Connect(guest) : _vsock.Connect(guest, VsockManyHarness.OtherPlace, VsockManyHarness.OtherPort));
        }

        byte[] got = new byte[16];
        for (int index = 0; index < programs.Count; index++)
        {
            uint guest = 100 + (uint)index;
            uint host = guest % 2 == 0 ? VsockManyHarness.Port : VsockManyHarness.OtherPort;
            _vsock.Send(VsockManyHarness.Of(guest, VsockOperation.Data, 2, host), [(byte)index, 7]);
            Assert.Equal(2, FdIo.Read(programs[index].Number, got));
            Assert.Equal((byte)index, got[0]);
            Assert.Equal(3, FdIo.Write(programs[index].Number, [9, 9, (byte)index]));
            _vsock.Turn();
            Assert.True(_vsock.TryTake(out VsockPacketHeader header, out byte[] data));
            Assert.Equal((guest, host, (byte)index), (header.DestinationPort, header.SourcePort, data[2]));
        }

        _vsock.Connect(); // and the agent's own, whatever else there is
        Assert.Equal(-1, _vsock.TakeQuestion());
        programs.ForEach(static program => program.Dispose());
    }

    [Fact]
    public void Slots_OneAfterTheOther_ServeMoreThanThereAre()
    {
        _vsock.ConnectFirst(1);
        _vsock.Close(1);
        VsockManyHarness.ExpectClosed(_vsock.First);
        byte[] got = new byte[8];
        for (uint guest = 2; guest < 100; guest++)
        {
            using FdHandle program = _vsock.Connect(guest);
            _vsock.Send(VsockManyHarness.Of(guest, VsockOperation.Data, 3), [1, 2, (byte)guest]);
            Assert.Equal(3, FdIo.Read(program.Number, got));
            Assert.Equal((byte)guest, got[2]);
            Assert.Equal(3, FdIo.Write(program.Number, [3, 2, (byte)guest]));
            _vsock.Turn();
            Assert.True(_vsock.TryTake(out VsockPacketHeader header, out byte[] data));
            Assert.Equal((3u, (byte)guest), (header.ForwardedBytes, data[2])); // its counts begin anew
            _vsock.GiveBuffers(1);
            _vsock.Close(guest);
            VsockManyHarness.ExpectClosed(program);
        }
    }

    [Fact]
    public void Slots_AllTaken_TheNextIsReset()
    {
        _vsock.ConnectFirst(1);
        List<FdHandle> programs = [];
        for (uint guest = 2; guest < 2 + Slots; guest++)
        {
            programs.Add(_vsock.Connect(guest));
        }

        _vsock.Send(VsockManyHarness.Of(50, VsockOperation.Request));
        Assert.Equal((50u, VsockManyHarness.Port), VsockManyHarness.Ports(_vsock.Expect(VsockOperation.Reset)));
        Assert.Equal(-1, _vsock.TakeQuestion());
        _vsock.Close(3);
        programs.Add(_vsock.Connect(51));
        _vsock.Close(1); // the first one's place serves as any other
        programs.Add(_vsock.Connect(52));
        programs.ForEach(static program => program.Dispose());
    }

    /// <summary>A program that reads no further keeps what the guest sent before it closed, but not a slot that another program needs.</summary>
    [Fact]
    public void Slots_AllTakenByWhatOneProgramDoesNotRead_GoToAnother()
    {
        _vsock.ConnectFirst(1);
        List<FdHandle> stuck = [];
        for (uint guest = 2; guest < 2 + Slots; guest++)
        {
            stuck.Add(_vsock.Connect(guest));
            byte[] chunk = new byte[8192];
            for (int sent = 0; sent < 31; sent++)
            {
                _vsock.Send(VsockManyHarness.Of(guest, VsockOperation.Data, (uint)chunk.Length), chunk);
                while (_vsock.TryTake(out _, out _))
                {
                    _vsock.GiveBuffers(1);
                }
            }

            _vsock.Close(guest);
        }

        using FdHandle other = _vsock.Connect(50, VsockManyHarness.OtherPlace, VsockManyHarness.OtherPort);
        _vsock.Send(VsockManyHarness.Of(50, VsockOperation.Data, 2, VsockManyHarness.OtherPort), "ab"u8);
        Assert.Equal(2, FdIo.Read(other.Number, new byte[8]));
        stuck.ForEach(static program => program.Dispose());
    }

    [Fact]
    public void Guest_AsksAgainWhileItWaits_WaitsOn()
    {
        _vsock.ConnectFirst(1);
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request));
        Assert.Equal(VsockManyHarness.Place, _vsock.TakeQuestion());
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request));
        _vsock.ExpectNothing();
        using FdHandle program = _vsock.Answer();
        Assert.Equal((2u, VsockManyHarness.Port), VsockManyHarness.Ports(_vsock.Expect(VsockOperation.Response)));
        Assert.Equal(-1, _vsock.TakeQuestion());
    }

    [Fact]
    public void Launcher_IsAskedOneQuestionAtATime_InTheOrderOfTheGuest()
    {
        _vsock.ConnectFirst(1);
        _vsock.Send(VsockManyHarness.Of(12, VsockOperation.Request));
        _vsock.Send(VsockManyHarness.Of(11, VsockOperation.Request, hostPort: VsockManyHarness.OtherPort));
        _vsock.Send(VsockManyHarness.Of(10, VsockOperation.Request));
        List<FdHandle> programs = [];
        foreach ((uint guest, int place) in new[] { (12u, VsockManyHarness.Place), (11u, VsockManyHarness.OtherPlace), (10u, VsockManyHarness.Place) })
        {
            Assert.Equal(place, _vsock.TakeQuestion());
            Assert.Equal(-1, _vsock.TakeQuestion());
            _vsock.ExpectNothing();
            programs.Add(_vsock.Answer(place));
            Assert.Equal(guest, _vsock.Expect(VsockOperation.Response).DestinationPort);
        }

        Assert.Equal(-1, _vsock.TakeQuestion());
        Assert.False(_vsock.HasEnded);
        programs.ForEach(static program => program.Dispose());
    }

    [Fact]
    public void Guest_SendsAtOnceAfterTheResponse_OldBytesOfTheSlotAreGone()
    {
        _vsock.ConnectFirst(1);
        using FdHandle slow = _vsock.Connect(2);
        byte[] chunk = new byte[8192];
        for (int sent = 0; sent < 60; sent++)
        {
            // More than the socket holds: the rest is in the slot's ring.
            _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Data, (uint)chunk.Length), chunk);
            while (_vsock.TryTake(out _, out _))
            {
                _vsock.GiveBuffers(1);
            }
        }

        slow.Dispose(); // what is left has nowhere to go
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Data, 1), [1]);
        while (_vsock.TryTake(out _, out _))
        {
            _vsock.GiveBuffers(1);
        }

        using FdHandle next = _vsock.Connect(3);
        _vsock.Send(VsockManyHarness.Of(3, VsockOperation.Data, 2), "ab"u8);
        byte[] got = new byte[8];
        Assert.Equal(2, FdIo.Read(next.Number, got));
        Assert.Equal("ab"u8.ToArray(), got[..2]);
    }

    [Fact]
    public void Guest_ResetsWhileTheLauncherConnects_TheSocketIsClosed()
    {
        using VsockManyHarness one = VsockManyHarness.Create(slots: 1);
        one.ConnectFirst(1);
        one.Send(VsockManyHarness.Of(2, VsockOperation.Request));
        Assert.Equal(VsockManyHarness.Place, one.TakeQuestion());
        one.Send(VsockManyHarness.Of(2, VsockOperation.Reset));
        one.Send(VsockManyHarness.Of(3, VsockOperation.Request)); // the same slot, before the answer for the other
        Assert.Equal(-1, one.TakeQuestion());
        using FdHandle unwanted = one.Answer();
        one.ExpectNothing();
        VsockManyHarness.ExpectClosed(unwanted);
        Assert.Equal(VsockManyHarness.Place, one.TakeQuestion());
        using FdHandle wanted = one.Answer();
        Assert.Equal(3u, one.Expect(VsockOperation.Response).DestinationPort);
    }

    [Theory]
    [InlineData(VsockOperation.Shutdown)]
    [InlineData(VsockOperation.Data)]
    [InlineData((VsockOperation)99)]
    public void Guest_SpeaksWhileTheLauncherConnects_IsResetAndTheSocketIsClosed(VsockOperation operation)
    {
        _vsock.ConnectFirst(1);
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request));
        _vsock.Send(VsockManyHarness.Of(2, operation));
        Assert.Equal(2u, _vsock.Expect(VsockOperation.Reset).DestinationPort);
        using FdHandle unwanted = _vsock.Answer();
        VsockManyHarness.ExpectClosed(unwanted);
        _vsock.ExpectNothing();
        Assert.False(_vsock.HasEnded);
    }

    [Fact]
    public void Launcher_Refuses_GuestIsResetAndMayTryAgain()
    {
        _vsock.ConnectFirst(1);
        for (uint guest = 2; guest < 4 * Slots; guest++)
        {
            _vsock.Send(VsockManyHarness.Of(guest, VsockOperation.Request));
            Assert.Equal(VsockManyHarness.Place, _vsock.TakeQuestion());
            _vsock.Say(new VsockAnswer(VsockManyHarness.Place, false));
            Assert.Equal(guest, _vsock.Expect(VsockOperation.Reset).DestinationPort);
            _vsock.GiveBuffers(1);
        }

        using FdHandle program = _vsock.Connect(99);
    }

    [Fact]
    public void DriverReset_WhileWaitingAndConnected_EverySocketIsClosed()
    {
        _vsock.ConnectFirst(1);
        using FdHandle connected = _vsock.Connect(2);
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Data, 1), [5]);
        _vsock.Send(VsockManyHarness.Of(1, VsockOperation.Data, 1), [6]);
        _vsock.Send(VsockManyHarness.Of(3, VsockOperation.Request));
        Assert.Equal(VsockManyHarness.Place, _vsock.TakeQuestion());
        _vsock.Device.QueueStopped(1);
        byte[] got = new byte[2];
        Assert.Equal((1, 1), (FdIo.Read(connected.Number, got), FdIo.Read(_vsock.First.Number, got)));
        VsockManyHarness.ExpectClosed(connected);
        VsockManyHarness.ExpectClosed(_vsock.First);
        using FdHandle late = _vsock.Answer();
        VsockManyHarness.ExpectClosed(late);
        _vsock.ExpectNothing();
        using FdHandle next = _vsock.Connect(3);
    }

    [Fact]
    public void Guest_GivesUpUnused_TheNextHasTheSocketAndOneIsKept()
    {
        _vsock.ConnectFirst(1);
        using FdHandle second = _vsock.Connect(2);
        _vsock.Send(VsockManyHarness.Of(1, VsockOperation.Reset));
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Reset));
        VsockManyHarness.ExpectClosed(second);
        _vsock.ConnectFirst(3);
        Assert.Equal(2, FdIo.Write(_vsock.First.Number, "hi"u8));
        _vsock.Turn();
        Assert.Equal(3u, _vsock.Expect(VsockOperation.Data).DestinationPort);
        using FdHandle third = _vsock.Connect(4);
    }

    [Fact]
    public void Guest_ClosesAndBeginsAnewFromTheSamePort_TheResetOfTheFirstIsDropped()
    {
        _vsock.ConnectFirst(1);
        byte[] close = new byte[VsockPacketHeader.SizeBytes];
        (VsockManyHarness.Of(1, VsockOperation.Shutdown) with { Flags = VsockShutdown.Both }).Encode(close);
        _vsock.Transmit.Add(new DriverBuffer(_vsock.Guest.Place(close), (uint)close.Length, false));
        using FdHandle program = _vsock.Connect(1);
        _vsock.ExpectNothing();
    }

    [Theory]
    [InlineData(VsockHarness.HostPort)] // the agent's: one connection, never another
    [InlineData(4999u)]
    public void Port_ThatIsNotToBeAskedFor_IsReset(uint port)
    {
        _vsock.Send(VsockManyHarness.Of(1, VsockOperation.Request, hostPort: VsockHarness.HostPort));
        _ = _vsock.Expect(VsockOperation.Response);
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request, hostPort: port));
        Assert.Equal((2u, port), VsockManyHarness.Ports(_vsock.Expect(VsockOperation.Reset)));
        Assert.Equal(-1, _vsock.TakeQuestion());
    }

    public static TheoryData<string> Unasked => ["nothing asked", "another port", "no socket", "a refusal with a socket", "two sockets", "cut", "another message", "end of file"];

    [Theory]
    [MemberData(nameof(Unasked))]
    public void Launcher_SaysWhatWasNotAsked_ProcessEnds(string what)
    {
        (FdHandle program, int socket) = VsockManyHarness.Pair();
        using FdHandle sent = new(socket);
        using (program)
        {
            if (what != "nothing asked")
            {
                _vsock.ConnectFirst(1);
                _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request));
            }

            Assert.False(_vsock.HasEnded);
            switch (what)
            {
                case "another port":
                    _vsock.Say(new VsockAnswer(VsockManyHarness.OtherPlace, true), sent.Number);
                    break;
                case "no socket":
                    _vsock.Say(new VsockAnswer(VsockManyHarness.Place, true));
                    break;
                case "a refusal with a socket":
                    _vsock.Say(new VsockAnswer(VsockManyHarness.Place, false), sent.Number);
                    break;
                case "two sockets":
                    _vsock.Say(new VsockAnswer(VsockManyHarness.Place, true), sent.Number, sent.Number);
                    break;
                case "cut":
                    Assert.Equal(4, UnixSocket.Send(_vsock.Control.Number, new byte[4], [sent.Number]));
                    break;
                case "another message":
                    byte[] frame = new byte[DeviceReplacement.FrameBytes];
                    Assert.Equal(frame.Length, UnixSocket.Send(_vsock.Control.Number, frame.AsSpan(0, new DeviceReplacement(1).Encode(frame)), [sent.Number]));
                    break;
                case "end of file":
                    _vsock.Control.Dispose();
                    break;
                default:
                    _vsock.Say(new VsockAnswer(VsockManyHarness.Place, true), sent.Number);
                    break;
            }

            _vsock.Turn();
            Assert.True(_vsock.HasEnded);
            _vsock.Control.Dispose(); // what nobody took goes too
            sent.Dispose();
            VsockManyHarness.ExpectClosed(program); // no fd is kept
        }
    }

    [Fact]
    public void TwoAnswers_ToOneQuestion_EndTheProcess()
    {
        _vsock.ConnectFirst(1);
        _vsock.Send(VsockManyHarness.Of(2, VsockOperation.Request));
        using FdHandle first = _vsock.Answer();
        Assert.False(_vsock.HasEnded);
        using FdHandle second = _vsock.Answer();
        Assert.True(_vsock.HasEnded);
        VsockManyHarness.ExpectClosed(second);
    }

    /// <summary>The rings' memory is one object: a slot's bytes must not be another's.</summary>
    [Fact]
    public void Slots_WithFullRings_KeepTheirBytesApart()
    {
        _vsock.ConnectFirst(1);
        FdHandle[] programs = [_vsock.Connect(2), _vsock.Connect(3), _vsock.Connect(4)];
        const int bytes = 192 * 1024 + 200 * 1024;
        for (int offset = 0; offset < bytes; offset += 8192)
        {
            for (int index = 0; index < programs.Length; index++)
            {
                byte[] chunk = new byte[8192];
                Array.Fill(chunk, (byte)(index + 1));
                _vsock.Send(VsockManyHarness.Of((uint)index + 2, VsockOperation.Data, (uint)chunk.Length), chunk);
                while (_vsock.TryTake(out VsockPacketHeader header, out _))
                {
                    Assert.Equal(VsockOperation.CreditUpdate, header.Operation);
                    _vsock.GiveBuffers(1);
                }

                while (_vsock.Transmit.TryTakeUsed(out _, out _))
                {
                }
            }
        }

        byte[] got = new byte[16384];
        for (int index = 0; index < programs.Length; index++)
        {
            int received = 0;
            while (received < bytes)
            {
                int count = FdIo.Read(programs[index].Number, got);
                Assert.False(got.AsSpan(0, Math.Max(count, 0)).ContainsAnyExcept((byte)(index + 1)));
                received += Math.Max(count, 0);
                _vsock.Turn();
            }

            programs[index].Dispose();
        }
    }
}
