using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.VhostUser;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Targets;

/// <summary>The vhost-user codec and the back end's session table.</summary>
internal sealed class SessionFuzzer : IFuzzer
{
    private const int Queues = 2;
    private const ulong Offered = TransportFeatures.Version1 | (1UL << 28) | (1UL << 29);

    private readonly FrontendMessage _message = new();

    public string Name => "session";

    public string Subject => "vhost-user codec and back end session, against what must always hold";

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        BackendSession session = new(Offered, Queues, 256, keepsInflight: true);
        SessionModel model = new(Queues, 256, Offered);
        int good = input.Below(20);
        for (int step = 0; step < good && _message.TryMakeGood(step, Queues, TransportFeatures.Version1); step++)
        {
            Send(session, model);
        }

        while (!input.IsEmpty)
        {
            _message.Make(ref input);
            Send(session, model);
        }
    }

    private void Send(BackendSession session, SessionModel model)
    {
        Span<byte> reply = stackalloc byte[VhostUserLimits.MaxMessageBytes];
        long before = Allocation.Now;
        VhostUserCodec.WriteHeader(reply, _message.Header);
        VhostUserFault fault = VhostUserCodec.ReadHeader(reply, out MessageHeader header);
        fault = fault == VhostUserFault.None ? session.CheckHeader(header, _message.FdCount) : fault;
        Reached.Note(1, (int)fault);
        if (fault != VhostUserFault.None)
        {
            return; // the process ends the session here
        }

        if (header.PayloadBytes > VhostUserLimits.MaxPayloadBytes)
        {
            throw new FindingException($"session: a payload of {header.PayloadBytes} bytes was let in");
        }

        Span<byte> payload = stackalloc byte[(int)header.PayloadBytes];
        _message.Payload[..Math.Min(_message.PayloadBytes, payload.Length)].CopyTo(payload);
        BackendAction action = session.Accept(header, payload, _message.FdCount);
        int length = action.Reply switch
        {
            ReplyKind.RingBase => session.WriteRingBaseReply(action, (ushort)(action.Value & 0xFFFF), reply),
            ReplyKind.Config => BackendSession.WriteConfigReply(action, [1, 2, 3, 4, 5, 6, 7, 8], reply),
            ReplyKind.Inflight => BackendSession.WriteInflightReply(action, header.PayloadBytes, true, reply),
            _ => BackendSession.WriteReply(action, true, reply),
        };
        Allocation.Require(before, 0, "a message");
        Reached.Note(2, ((int)action.Request << 6) | (int)action.Fault);
        Reached.Note(3, ((int)action.Request << 6) | ((int)action.Ring << 3) | (int)action.Reply);
        if (length > VhostUserLimits.MaxMessageBytes)
        {
            throw new FindingException($"session: a reply of {length} bytes");
        }

        model.Judge(session, header, payload, _message.FdCount, action);
    }
}
