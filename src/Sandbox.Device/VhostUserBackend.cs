using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Device;

/// <summary>The vhost-user socket: receives messages piece by piece without waiting, and carries out what the session decides.</summary>
internal sealed class VhostUserBackend
{
    private readonly int _socket;
    private readonly VirtioDevice _device;
    private readonly BackendSession _session;
    private readonly BackendMemory _memory = new();
    private readonly BackendInflight _inflight;
    private readonly RingControl _rings;
    private readonly byte[] _message = new byte[VhostUserLimits.MaxMessageBytes];
    private readonly byte[] _reply = new byte[VhostUserLimits.MaxMessageBytes];
    private readonly int[] _fds = new int[VhostUserLimits.MaxMemoryRegions];
    private int _have;
    private int _fdCount;
    private MessageHeader _header;

    public VhostUserBackend(int socket, VirtioDevice device, Epoll epoll, BackendInflight inflight)
    {
        _inflight = inflight;
        _socket = socket;
        _device = device;
        _session = new BackendSession(device.OfferedFeatures, device.Queues.Length, SplitVirtqueue.MaxSize, device.CanReplay && inflight.IsKept);
        _rings = new RingControl(device, _session, _memory, inflight, epoll);
        LinuxException.Check(FdIo.SetNonBlocking(socket, true), "fcntl vhost-user socket");
    }

    /// <summary>What the frontend did wrong; none when it only went away.</summary>
    public VhostUserFault Fault { get; private set; }

    public FrontendRequest LastRequest => _header.Request;

    /// <summary>Lets go of the guest's memory, of the records and of a message that never became whole, after the session; every ring has been stopped. The end of the process does it for a process of one session.</summary>
    public void Release()
    {
        CloseFds(0);
        _memory.Release();
        _inflight.Release();
    }

    /// <summary>Takes what the socket has, at most one message. False: the session is over.</summary>
    public bool Receive()
    {
        int want = _have < MessageHeader.SizeBytes ? MessageHeader.SizeBytes : MessageHeader.SizeBytes + (int)_header.PayloadBytes;
        // fds come with the first byte of a message (vhost-user, "Communication"); with any other byte there is no room for one.
        Span<int> room = _have == 0 ? _fds : [];
        int count = UnixSocket.Receive(_socket, _message.AsSpan(_have, want - _have), room, out int fdCount);
        if (count <= 0)
        {
            return count == -(int)Errno.EAGAIN || Over(count == -(int)Errno.EPROTO ? VhostUserFault.BadFdCount : VhostUserFault.None);
        }

        _fdCount = _have == 0 ? fdCount : _fdCount;
        _have += count;
        if (_have < want)
        {
            return true;
        }

        if (want == MessageHeader.SizeBytes)
        {
            VhostUserFault fault = VhostUserCodec.ReadHeader(_message, out _header);
            fault = fault == VhostUserFault.None ? _session.CheckHeader(_header, _fdCount) : fault;
            if (fault != VhostUserFault.None)
            {
                CloseFds(0);
                return Over(fault);
            }

            if (_header.PayloadBytes != 0)
            {
                return true; // level-triggered: the payload wakes the loop again
            }
        }

        _have = 0;
        return Serve(_message.AsSpan(MessageHeader.SizeBytes, (int)_header.PayloadBytes));
    }

    private bool Serve(ReadOnlySpan<byte> payload)
    {
        BackendAction action = _session.Accept(_header, payload, _fdCount);
        if (action.Kind == BackendActionKind.EndSession)
        {
            CloseFds(0);
            return Over(action.Fault);
        }

        bool keep = action.Fds == FdDisposition.Keep;
        bool succeeded = CarryOut(action, payload, keep ? _fds[0] : -1);
        CloseFds(keep ? 1 : 0);
        ushort position = _rings.Change(action);
        int length = action.Reply switch
        {
            ReplyKind.RingBase => _session.WriteRingBaseReply(action, position, _reply),
            ReplyKind.Config => BackendSession.WriteConfigReply(action, _device.ConfigSpace, _reply),
            ReplyKind.Inflight => BackendSession.WriteInflightReply(action, _header.PayloadBytes, succeeded, _reply),
            _ => BackendSession.WriteReply(action, succeeded, _reply),
        };
        // A frontend that lets replies pile up until the socket is full has stopped speaking the protocol.
        ReadOnlySpan<int> fds = action.Reply == ReplyKind.Inflight && succeeded ? [_inflight.File] : [];
        return length == 0 || UnixSocket.Send(_socket, _reply.AsSpan(0, length), fds) == length || Over(VhostUserFault.None);
    }

    private bool CarryOut(in BackendAction action, ReadOnlySpan<byte> payload, int keptFd)
    {
        switch (action.Kind)
        {
            case BackendActionKind.ApplyFeatures:
                _device.FeaturesAgreed(_session.DeviceFeatures);
                return true;
            case BackendActionKind.MapMemory:
                return _rings.ReplaceMemory(_fds.AsSpan(0, _fdCount));
            case BackendActionKind.SetKick:
                _rings.TakeKick(action.Queue, keptFd);
                return true;
            case BackendActionKind.SetCall:
                _device.Queues[action.Queue].TakeCall(keptFd);
                return true;
            case BackendActionKind.SetError:
                _device.Queues[action.Queue].TakeError(keptFd);
                return true;
            case BackendActionKind.GiveInflight:
                return _inflight.TryClear(action.Inflight);
            case BackendActionKind.MapInflight:
                bool mapped = _inflight.TryReplace(_fds[0], action.Inflight);
                if (_inflight.HoldsRecords)
                {
                    _device.TakenOver();
                }

                return mapped;
            case BackendActionKind.WriteConfig:
                return _device.TryWriteConfig(action.Config.OffsetBytes, payload.Slice(ConfigRange.SizeBytes, (int)action.Config.LengthBytes));
            default:
                return true;
        }
    }

    private void CloseFds(int first)
    {
        for (int index = first; index < _fdCount; index++)
        {
            _ = FdIo.Close(_fds[index]);
        }

        _fdCount = 0;
    }

    private bool Over(VhostUserFault fault)
    {
        Fault = fault;
        return false;
    }
}
