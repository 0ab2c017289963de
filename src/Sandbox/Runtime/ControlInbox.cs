using Sandbox.Control.Launch;

namespace Sandbox.Runtime;

/// <summary>What a VMM or device process says about itself, cut out of its control socket. The process is hostile once its guest has broken out.</summary>
internal sealed class ControlInbox
{
    private readonly byte[] _buffer = new byte[2 * Ended.MaxFrameBytes];
    private int _count;

    public Span<byte> Free => _buffer.AsSpan(_count);

    public void Received(int count) => _count += count;

    /// <summary>Hands every whole message to the receiver. Not <see cref="LaunchFault.None"/>: the process does not keep to the messages.</summary>
    public LaunchFault Drain(IControlReceiver receiver)
    {
        int start = 0;
        LaunchFault fault = LaunchFault.None;
        while (fault == LaunchFault.None && _count - start >= LaunchFrame.HeaderBytes)
        {
            ReadOnlySpan<byte> pending = _buffer.AsSpan(start, _count - start);
            fault = LaunchFrame.ReadHeader(pending, out LaunchMessageType type, out int contentBytes);
            if (fault == LaunchFault.None && contentBytes > Ended.MaxFrameBytes - LaunchFrame.HeaderBytes)
            {
                fault = LaunchFault.TooLong;
            }

            if (fault != LaunchFault.None || pending.Length < LaunchFrame.HeaderBytes + contentBytes)
            {
                break;
            }

            fault = Hand(type, pending.Slice(LaunchFrame.HeaderBytes, contentBytes), receiver);
            start += LaunchFrame.HeaderBytes + contentBytes;
        }

        _buffer.AsSpan(start, _count - start).CopyTo(_buffer);
        _count -= start;
        return fault;
    }

    private static LaunchFault Hand(LaunchMessageType type, ReadOnlySpan<byte> content, IControlReceiver receiver)
    {
        LaunchFault fault;
        switch (type)
        {
            case LaunchMessageType.Ready:
                fault = Ready.Decode(content, out Ready ready);
                if (fault == LaunchFault.None)
                {
                    receiver.Received(ready);
                }

                return fault;
            case LaunchMessageType.Phase:
                fault = PhaseReached.Decode(content, out PhaseReached phase);
                if (fault == LaunchFault.None)
                {
                    receiver.Received(phase);
                }

                return fault;
            case LaunchMessageType.Ended:
                fault = Ended.Decode(content, out Ended ended);
                if (fault == LaunchFault.None)
                {
                    receiver.Received(ended);
                }

                return fault;
            case LaunchMessageType.VsockConnect:
                fault = VsockConnect.Decode(content, out VsockConnect connect);
                return fault == LaunchFault.None ? receiver.Received(connect) : fault;
            default:
                return LaunchFault.WrongType;
        }
    }
}
