using Sandbox.Linux;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>A backend that keeps the rules and does nothing else: a session behind a socket. It offers more than the VMM lets through.</summary>
internal sealed class BackendThread : IDisposable
{
    private const ulong Offered =
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingEventIndex | VirtioFeatureBits.RingIndirectDescriptors
        | (1UL << 11) | (1UL << 12) | (1UL << 26) | (1UL << 34) | (1UL << 40);

    private const ulong StopTag = 1;

    private readonly int _socket;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _stop = EventFd.Create();
    private readonly Thread _thread;
    private readonly byte[] _config = new byte[60];

    public BackendThread(int socket)
    {
        _socket = socket;
        _config[0] = 0x42;
        _epoll.Add(socket, EpollEvents.Readable, 0);
        _epoll.Add(_stop.Number, EpollEvents.Readable, StopTag);
        _thread = new Thread(Serve);
        _thread.Start();
    }

    public BackendSession Session { get; } = new(Offered, queueCount: 1, maxQueueSize: 1024);

    public void Dispose()
    {
        _ = EventFd.Signal(_stop.Number);
        _thread.Join();
        _epoll.Dispose();
        _stop.Dispose();
    }

    private void Serve()
    {
        byte[] message = new byte[VhostUserLimits.MaxMessageBytes];
        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        int[] fds = new int[VhostUserLimits.MaxMemoryRegions];
        while (Wait())
        {
            int count = UnixSocket.Receive(_socket, message.AsSpan(0, MessageHeader.SizeBytes), fds, out int fdCount);
            if (count != MessageHeader.SizeBytes)
            {
                return;
            }

            _ = VhostUserCodec.ReadHeader(message, out MessageHeader header);
            Span<byte> payload = message.AsSpan(MessageHeader.SizeBytes, (int)header.PayloadBytes);
            if (!payload.IsEmpty)
            {
                _ = FdIo.ReadFull(_socket, payload);
            }

            BackendAction action = Session.Accept(header, payload, fdCount);
            foreach (int fd in fds[..fdCount])
            {
                _ = FdIo.Close(fd);
            }

            int length = action.Reply switch
            {
                ReplyKind.Config => BackendSession.WriteConfigReply(action, _config, reply),
                ReplyKind.RingBase => Session.WriteRingBaseReply(action, 0, reply),
                _ => BackendSession.WriteReply(action, succeeded: true, reply),
            };
            _ = UnixSocket.Send(_socket, reply.AsSpan(0, length), []);
        }
    }

    private bool Wait()
    {
        Span<EpollReady> ready = stackalloc EpollReady[2];
        int count = _epoll.Wait(ready, timeoutMilliseconds: -1);
        foreach (EpollReady entry in ready[..count])
        {
            if (entry.Tag == StopTag)
            {
                return false;
            }
        }

        return true;
    }
}
