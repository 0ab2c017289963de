using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A port of the guest's own: the host's side begins.</summary>
public sealed class VsockGuestPortTests : IDisposable
{
    private const long Second = 1_000_000_000;

    private readonly VsockHarness _vsock = new(guestListens: true);

    public void Dispose() => _vsock.Dispose();

    [Fact]
    public void Guest_IsAskedAtOnce_AndItsAnswerConnects()
    {
        _vsock.Turn();
        VsockPacketHeader request = _vsock.Expect(VsockOperation.Request);
        Assert.Equal((2UL, (ulong)VsockHarness.GuestCid, VsockHarness.GuestPort), (request.SourceCid, request.DestinationCid, request.DestinationPort));
        Assert.Equal((uint)VsockConnection.BufferBytes, request.BufferBytes);

        Assert.Equal(5, FdIo.Write(_vsock.Launcher.Number, "early"u8)); // before the answer: waits
        _vsock.Turn();
        _vsock.ExpectNothing();
        _vsock.Send(Answer(VsockOperation.Response));
        Assert.True(_vsock.TryTake(out VsockPacketHeader header, out byte[] data));
        Assert.Equal((VsockOperation.Data, "early"), (header.Operation, System.Text.Encoding.ASCII.GetString(data)));
        _vsock.Send(Answer(VsockOperation.Data) with { LengthBytes = 2 }, "ok"u8);
        byte[] got = new byte[4];
        Assert.Equal(2, _vsock.LauncherRead(got));
        Assert.Equal(-1, _vsock.Device.WaitMilliseconds);
    }

    [Fact]
    public void Guest_WhereNobodyListens_IsAskedAgainLaterAndLater()
    {
        int requests = 0;
        for (int millisecond = 0; millisecond < 10_000; millisecond += 10)
        {
            _vsock.Now = millisecond * (Second / 1000);
            _vsock.Turn();
            if (_vsock.TryTake(out VsockPacketHeader header, out _))
            {
                Assert.Equal(VsockOperation.Request, header.Operation);
                requests++;
                _vsock.GiveBuffers(1);
                _vsock.Send(Answer(VsockOperation.Reset));
                Assert.True(_vsock.Transmit.TryTakeUsed(out _, out _));
                Assert.InRange(_vsock.Device.WaitMilliseconds, 1, 1000);
            }
        }

        Assert.InRange(requests, 10, 16); // 50 ms, 100, ... and then one a second
    }

    [Fact]
    public void Guest_ThatDoesNotAnswer_IsAskedAgainAfterSeconds()
    {
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
        _vsock.Now = 4 * Second;
        _vsock.Turn();
        _vsock.ExpectNothing();
        _vsock.Now = 6 * Second;
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
    }

    [Fact]
    public void Guest_WhoseDriverStartsAnew_IsAskedAnew()
    {
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
        _vsock.Device.QueueStopped(0);
        _vsock.Now = Second;
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
    }

    [Theory]
    [InlineData(VsockOperation.Data)]
    [InlineData(VsockOperation.Request)]
    [InlineData(VsockOperation.Shutdown)]
    [InlineData((VsockOperation)99)]
    public void Guest_ThatAnswersWithNonsense_IsResetAndTheSocketEnds(VsockOperation operation)
    {
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
        _vsock.Send(Answer(operation));
        _vsock.Expect(VsockOperation.Reset);
        Assert.Equal(0, _vsock.LauncherRead(new byte[1]));
        _vsock.Now = 60 * Second;
        _vsock.Turn();
        _vsock.ExpectNothing(); // a socket serves once
    }

    [Theory]
    [InlineData(VsockHarness.GuestPort + 1, VsockHarness.GuestPort)]
    [InlineData(VsockHarness.GuestPort, VsockHarness.GuestPort + 1)]
    public void Answer_OfAnotherPort_IsNone(uint source, uint destination)
    {
        _vsock.Turn();
        _vsock.Expect(VsockOperation.Request);
        _vsock.Send(Answer(VsockOperation.Response) with { SourcePort = source, DestinationPort = destination });
        Assert.Equal(source, _vsock.Expect(VsockOperation.Reset).DestinationPort);
        _vsock.Send(Answer(VsockOperation.Response));
        _vsock.Send(Answer(VsockOperation.CreditRequest));
        _vsock.Expect(VsockOperation.CreditUpdate); // the right one counts all the same
    }

    [Fact]
    public void Guest_ThatAsksForItsOwnPort_IsRefused()
    {
        _vsock.Send(Answer(VsockOperation.Request));
        Assert.True(_vsock.TryTake(out VsockPacketHeader first, out _));
        Assert.True(_vsock.TryTake(out VsockPacketHeader second, out _));
        Assert.Equal([VsockOperation.Request, VsockOperation.Reset], new[] { first.Operation, second.Operation }.Order());
    }

    // From the guest's port to this side's, which has the same number.
    private static VsockPacketHeader Answer(VsockOperation operation) => VsockHarness.Header(operation) with { DestinationPort = VsockHarness.GuestPort };
}
