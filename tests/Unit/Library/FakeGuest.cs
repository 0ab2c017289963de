using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Library;

/// <summary>A guest's agent that says and hears what a test wants, with the library's real client at the other end of a socket pair.</summary>
internal sealed class FakeGuest : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FdHandle _socket;
    private readonly AgentFrameReader _reader = new();
    private readonly byte[] _frame = new byte[AgentLimits.MaxFrameBytes];

    public FakeGuest()
    {
        (FdHandle host, _socket) = UnixSocket.CreatePair();
        Client = new AgentClient(host, static () => new ConfigureMessage("name", "/dev/vda", "erofs", true, 1, null, new byte[AgentLimits.EntropyBytes]));
        Client.Start();
    }

    public AgentClient Client { get; }

    public delegate int Encoder(Span<byte> frame);

    public delegate void Looker(AgentFrame frame);

    /// <summary>A guest that has come up.</summary>
    public static async Task<FakeGuest> ReadyAsync()
    {
        FakeGuest guest = new();
        guest.Send(new HelloMessage(AgentLimits.Version).Encode);
        guest.Expect(AgentMessageType.Configure);
        guest.Send(new ReadyMessage(1, 2).Encode);
        await guest.Client.Ready.WaitAsync(Patience);
        return guest;
    }

    /// <summary>A guest that runs one command, with id 1.</summary>
    public static async Task<(FakeGuest Guest, SandboxProcess Process)> RunningAsync()
    {
        FakeGuest guest = await ReadyAsync();
        Task<GuestProcess> exec = guest.Client.ExecAsync(new ExecOptions { Command = ["cat"] }, [], CancellationToken.None);
        guest.Expect(AgentMessageType.Exec);
        guest.Send(new StartedMessage(1).Encode);
        return (guest, new SandboxProcess(await exec.WaitAsync(Patience)));
    }

    public void Send(Encoder encode) => SendBytes(_frame.AsSpan(0, encode(_frame)));

    public void SendBytes(ReadOnlySpan<byte> bytes) => Assert.True(UnixSocket.SendAll(_socket.Number, bytes) is 0 or -(int)Errno.EPIPE);

    public void SendData(AgentStream stream, ReadOnlySpan<byte> bytes) => SendBytes(_frame.AsSpan(0, new DataMessage(1, stream, bytes).Encode(_frame)));

    public void Exit(int code)
    {
        Send(new EndMessage(1, AgentStream.Output).Encode);
        Send(new EndMessage(1, AgentStream.Error).Encode);
        Send(new ExitedMessage(1, code, 0).Encode);
    }

    /// <summary>Waits for the next frame, which must be of this type.</summary>
    public void Expect(AgentMessageType type, Looker? look = null)
    {
        AgentFrame frame;
        while (!_reader.TryTake(out frame))
        {
            Assert.Equal(AgentFault.None, _reader.Fault);
            Assert.Equal(1, Poll.Wait(_socket.Number, PollEvents.Readable, (int)Patience.TotalMilliseconds, out _));
            int count = FdIo.Read(_socket.Number, _reader.Free);
            Assert.True(count > 0, "the host closed the connection");
            _reader.Received(count);
        }

        Assert.Equal(type, frame.Type);
        look?.Invoke(frame);
    }

    public bool HasSomethingToRead() => Poll.Wait(_socket.Number, PollEvents.Readable, 50, out _) == 1;

    public void Dispose()
    {
        Client.Dispose();
        _socket.Dispose();
    }
}
