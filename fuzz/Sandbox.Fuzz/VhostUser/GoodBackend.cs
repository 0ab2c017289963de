using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.VhostUser;

/// <summary>A back end that answers everything as a front end hopes, and remembers what it was asked.</summary>
internal sealed class GoodBackend(int socket, int recordsFd)
{
    private readonly byte[] _message = new byte[VhostUserLimits.MaxMessageBytes];
    private readonly int[] _fds = new int[16];

    /// <summary>The answers given, in their order.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>Whether an fd went with each.</summary>
    public List<bool> SentWithFd { get; } = [];

    /// <summary>Answers until the front end hangs up.</summary>
    public void Serve()
    {
        while (true)
        {
            int count = UnixSocket.Receive(socket, _message.AsSpan(0, MessageHeader.SizeBytes), _fds, out int fdCount);
            for (int index = 0; index < fdCount; index++)
            {
                _ = FdIo.Close(_fds[index]);
            }

            if (count < MessageHeader.SizeBytes || VhostUserCodec.ReadHeader(_message, out MessageHeader header) != VhostUserFault.None)
            {
                return;
            }

            Span<byte> payload = _message.AsSpan(MessageHeader.SizeBytes, (int)header.PayloadBytes);
            _ = FdIo.ReadFull(socket, payload);
            bool answers = RequestRules.Of(header.Request).Reply != ReplyKind.None || (header.Flags & MessageFlags.NeedReply) != 0;
            if (answers)
            {
                int length = Write(header.Request, payload, _message, out bool withFd);
                Sent.Add(_message[..length]);
                SentWithFd.Add(withFd);
                _ = UnixSocket.Send(socket, _message.AsSpan(0, length), withFd ? [recordsFd] : []);
            }
        }
    }

    /// <summary>The answer to a request; its whole length.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="asked">The request's payload; where it is empty, what a front end of ours would ask.</param>
    /// <param name="message">Where the answer is written; may hold the request.</param>
    /// <param name="withFd">An fd goes with it.</param>
    public static int Write(FrontendRequest request, ReadOnlySpan<byte> asked, Span<byte> message, out bool withFd)
    {
        withFd = false;
        Span<byte> payload = message[MessageHeader.SizeBytes..];
        int length = sizeof(ulong);
        switch (request)
        {
            case FrontendRequest.GetFeatures or FrontendRequest.GetProtocolFeatures:
                VhostUserCodec.WriteValue(payload, ulong.MaxValue);
                break;
            case FrontendRequest.GetQueueNum:
                VhostUserCodec.WriteValue(payload, 8);
                break;
            case FrontendRequest.GetConfig:
                length = asked.Length;
                break; // the request's own range and bytes
            case FrontendRequest.GetInflightFd:
                InflightArea area = VhostUserCodec.ReadInflight(asked);
                length = asked.Length;
                VhostUserCodec.WriteInflight(payload[..length], area with { SizeBytes = area.NeededBytes, OffsetBytes = 0 });
                withFd = true;
                break;
            case FrontendRequest.GetVringBase:
                VhostUserCodec.WriteRingState(payload, new RingState(VhostUserCodec.ReadRingState(asked).Index, 0));
                break;
            default:
                VhostUserCodec.WriteValue(payload, 0);
                break;
        }

        VhostUserCodec.WriteHeader(message, new MessageHeader(request, MessageFlags.Version1 | MessageFlags.Reply, (uint)length));
        return MessageHeader.SizeBytes + length;
    }
}
