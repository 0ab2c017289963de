using System.Diagnostics;
using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>
/// One request, one answer, over an inherited socket. The peer may be anybody: an answer has to be whole within a time limit that no dribble of
/// bytes extends, and no fd that it sends is kept but the one asked for. After the first failure the channel is dead, until it gets another socket.
/// </summary>
public sealed class VhostUserChannel : IDisposable
{
    /// <summary>How long one request may take. A backend answers in microseconds, but on a crowded machine its process may still be starting: this only has to end a hang.</summary>
    public const int AnswerLimitMilliseconds = 30_000;

    private readonly int _answerLimitMilliseconds;
    private readonly Epoll _epoll = new();
    private readonly byte[] _received = new byte[VhostUserLimits.MaxMessageBytes];
    private int _socket;
    private FdHandle? _ownedSocket;
    private int _receivedFd = -1; // a number, not a handle: a guest causes one with every start of its device, and a running machine allocates nothing

    /// <param name="socket">Borrowed; set to non-blocking.</param>
    /// <param name="answerLimitMilliseconds">Time limit of one request.</param>
    /// <exception cref="LinuxException">The socket cannot be used.</exception>
    public VhostUserChannel(int socket, int answerLimitMilliseconds = AnswerLimitMilliseconds)
    {
        _answerLimitMilliseconds = answerLimitMilliseconds;
        Use(socket);
    }

    /// <summary>The fd of the socket, borrowed.</summary>
    public int Socket => _socket;

    /// <summary>The session that writes the requests and judges the answers.</summary>
    public FrontendSession Session { get; } = new();

    /// <summary>Where the session's requests are written.</summary>
    public byte[] Buffer { get; } = new byte[VhostUserLimits.MaxMessageBytes];

    /// <summary>Why the channel is dead, if it is.</summary>
    public BackendEnd End { get; private set; }

    /// <summary>The payload of the last answer; valid until the next request.</summary>
    public ReadOnlySpan<byte> Payload => _received.AsSpan(MessageHeader.SizeBytes);

    /// <summary>
    /// Sends the first <paramref name="bytes"/> of <see cref="Buffer"/> with borrowed fds, and waits for the answer if one is due. False once
    /// the channel is dead.
    /// </summary>
    public bool TryCall(int bytes, ReadOnlySpan<int> fds, out ulong value)
    {
        value = 0;
        if (!End.IsSound)
        {
            return false;
        }

        // A message is far smaller than a socket buffer, and one at a time: a short or refused send means that nobody reads.
        int sent = UnixSocket.Send(_socket, Buffer.AsSpan(0, bytes), fds);
        if (sent != bytes)
        {
            return Fail(sent is -(int)Errno.EPIPE or -(int)Errno.ECONNRESET ? BackendLoss.Closed : BackendLoss.SocketFailed);
        }

        return !Session.IsReplyDue || TryReceiveAnswer(out value);
    }

    /// <summary>Goes on with a new backend's socket, which is taken over: the old one is closed and everything agreed on it forgotten.</summary>
    /// <exception cref="LinuxException">The socket cannot be used.</exception>
    public void Replace(FdHandle socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _ = _epoll.Remove(_socket);
        _ownedSocket?.Dispose();
        _ownedSocket = socket;
        Session.Restart();
        End = default;
        Use(socket.Number);
    }

    /// <summary>The fd that came with the last answer; -1 when none did. It belongs to the caller, who closes it.</summary>
    public int TakeFd()
    {
        int fd = _receivedFd;
        _receivedFd = -1;
        return fd;
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _ownedSocket?.Dispose();
        CloseReceivedFd();
    }

    private void CloseReceivedFd()
    {
        if (_receivedFd >= 0)
        {
            _ = FdIo.Close(TakeFd());
        }
    }

    private void Use(int socket)
    {
        _socket = socket;
        _ = LinuxException.Check(FdIo.SetNonBlocking(socket, on: true), "fcntl vhost-user socket");
        _epoll.Add(socket, EpollEvents.Readable | EpollEvents.PeerClosed, 0);
    }

    private bool TryReceiveAnswer(out ulong value)
    {
        value = 0;
        long deadline = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 1000 * _answerLimitMilliseconds);
        if (!TryReceive(_received.AsSpan(0, MessageHeader.SizeBytes), deadline, out int fdCount))
        {
            return false;
        }

        VhostUserFault fault = VhostUserCodec.ReadHeader(_received, out MessageHeader header);
        if (fault == VhostUserFault.None)
        {
            fault = Session.CheckReplyHeader(header, fdCount);
        }

        if (fault != VhostUserFault.None)
        {
            return Fail(BackendLoss.ProtocolBroken, fault);
        }

        // The header's size has just been held against what was asked for.
        Span<byte> payload = _received.AsSpan(MessageHeader.SizeBytes, (int)header.PayloadBytes);
        if (!TryReceive(payload, deadline, out fdCount))
        {
            return false;
        }

        fault = fdCount == 0 ? Session.AcceptReply(payload, out value) : VhostUserFault.BadFdCount;
        return fault == VhostUserFault.None || Fail(BackendLoss.ProtocolBroken, fault);
    }

    // Fills the whole span. Of the fds that come with it one is kept, until the session has judged whether it may be there at all.
    private bool TryReceive(Span<byte> bytes, long deadline, out int fdCount)
    {
        fdCount = 0;
        Span<int> fds = stackalloc int[UnixSocket.MaxFds];
        while (!bytes.IsEmpty)
        {
            int count = UnixSocket.Receive(_socket, bytes, fds, out int received);
            foreach (int fd in fds[..received])
            {
                if (fdCount++ == 0 && _receivedFd < 0)
                {
                    _receivedFd = fd;
                }
                else
                {
                    _ = FdIo.Close(fd);
                }
            }

            switch (count)
            {
                case > 0:
                    bytes = bytes[count..];
                    break;
                case -(int)Errno.EAGAIN:
                    if (!TryWait(deadline))
                    {
                        return Fail(BackendLoss.TimedOut);
                    }

                    break;
                case 0:
                case -(int)Errno.ECONNRESET:
                    return Fail(BackendLoss.Closed);
                case -(int)Errno.EPROTO:
                    return Fail(BackendLoss.ProtocolBroken, VhostUserFault.BadFdCount);
                default:
                    return Fail(BackendLoss.SocketFailed);
            }
        }

        return true;
    }

    private bool TryWait(long deadline)
    {
        long left = (deadline - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency;
        if (left <= 0)
        {
            return false;
        }

        Span<EpollReady> ready = stackalloc EpollReady[1];
        _ = _epoll.Wait(ready, (int)left + 1); // a signal or a timeout goes round the loop, which asks the clock
        return true;
    }

    private bool Fail(BackendLoss loss, VhostUserFault fault = VhostUserFault.None)
    {
        CloseReceivedFd();
        End = new BackendEnd(loss, fault);
        return false;
    }
}
