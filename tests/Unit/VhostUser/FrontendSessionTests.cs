using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

public sealed class FrontendSessionTests
{
    private readonly FrontendSession _session = new();
    private readonly byte[] _buffer = new byte[VhostUserLimits.MaxMessageBytes];

    [Fact]
    public void Sequence_AgainstOurOwnBackendSession_IsTakenWhole()
    {
        BackendSession backend = new(BackendDouble.Offered, queueCount: 1, maxQueueSize: 256);
        byte[] config = [1, 2, 3, 4, 5, 6, 7, 8];
        ulong Call(int length, int fdCount = 0) => Deliver(backend, config, length, fdCount);
        MemoryTable memory = default;
        Assert.True(memory.TryAdd(new MemoryTableRegion(0, 0x10_0000, new UserAddress(0), 0)));

        Assert.Equal(BackendDouble.Offered | TransportFeatures.ProtocolFeatures, Call(_session.WriteGetFeatures(_buffer)));
        ulong protocol = Call(_session.WriteGetProtocolFeatures(_buffer));
        _ = Call(_session.WriteSetProtocolFeatures(protocol, _buffer));
        Assert.True(_session.HasAcknowledge);
        _ = Call(_session.WriteSetOwner(_buffer));
        Assert.Equal(1UL, Call(_session.WriteGetQueueCount(_buffer)));
        _ = Call(_session.WriteGetConfig(8, _buffer));
        _ = Call(_session.WriteSetFeatures(TransportFeatures.Version1, _buffer));
        _ = Call(_session.WriteSetMemoryTable(memory, _buffer), fdCount: 1);
        _ = Call(_session.WriteSetRingSize(0, 128, _buffer));
        _ = Call(_session.WriteSetRingBase(0, 0, _buffer));
        _ = Call(_session.WriteSetRingAddresses(
            new RingAddresses(0, 0, new UserAddress(0x1000), new UserAddress(0x3000), new UserAddress(0x2000)), _buffer));
        _ = Call(_session.WriteSetRingCall(0, _buffer), fdCount: 1);
        _ = Call(_session.WriteSetRingKick(0, _buffer), fdCount: 1);
        _ = Call(_session.WriteSetRingEnable(0, enabled: true, _buffer));

        Assert.Equal(new RingLayout(128, 0x1000, 0x2000, 0x3000, 0), backend.GetRing(0));
        Assert.Equal(0UL, Call(_session.WriteGetRingBase(0, _buffer)));
        Assert.False(backend.IsRunning(0));
    }

    [Fact]
    public void Reply_ToAnotherRequest_IsUnexpected()
    {
        _ = _session.WriteGetFeatures(_buffer);

        Assert.Equal(VhostUserFault.UnexpectedReply, Check(FrontendRequest.GetQueueNum, 8));
        Assert.Equal(VhostUserFault.UnexpectedReply, _session.CheckReplyHeader(BackendDouble.Header(FrontendRequest.GetFeatures, 8), 0));
    }

    [Fact]
    public void Reply_NobodyAskedFor_IsUnexpected()
    {
        _ = _session.WriteSetOwner(_buffer);

        Assert.False(_session.IsReplyDue);
        Assert.Equal(VhostUserFault.UnexpectedReply, Check(FrontendRequest.SetOwner, 8));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(7u)]
    [InlineData(9u)]
    [InlineData(uint.MaxValue)]
    public void Reply_OfAnotherSize_IsRefusedBeforeItIsRead(uint payloadBytes)
    {
        _ = _session.WriteGetFeatures(_buffer);

        Assert.Equal(VhostUserFault.BadPayloadSize, Check(FrontendRequest.GetFeatures, payloadBytes));
    }

    [Fact]
    public void Museum31_Reply_WithFds_IsRefused()
    {
        _ = _session.WriteGetFeatures(_buffer);

        Assert.Equal(
            VhostUserFault.BadFdCount,
            _session.CheckReplyHeader(BackendDouble.Header(FrontendRequest.GetFeatures, 8, MessageFlags.Version1 | MessageFlags.Reply), 1));
    }

    [Fact]
    public void RingBase_OfAnotherRingOrBeyond16Bits_IsUnexpected()
    {
        byte[] payload = new byte[RingState.SizeBytes];
        foreach (RingState state in new[] { new RingState(1, 0), new RingState(0, 0x1_0000) })
        {
            _ = _session.WriteGetRingBase(0, _buffer);
            VhostUserCodec.WriteRingState(payload, state);
            Assert.Equal(VhostUserFault.UnexpectedReply, _session.AcceptReply(payload, out _));
        }
    }

    [Fact]
    public void Config_OfAnotherRange_IsRefused()
    {
        byte[] payload = new byte[ConfigRange.SizeBytes + 8];
        _ = _session.WriteGetConfig(8, _buffer);
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(4, 8, 0));
        Assert.Equal(VhostUserFault.UnexpectedReply, _session.AcceptReply(payload, out _));

        _ = _session.WriteGetConfig(8, _buffer);
        Assert.Equal(VhostUserFault.BadPayloadSize, Check(FrontendRequest.GetConfig, ConfigRange.SizeBytes + 9));
        Assert.Equal(VhostUserFault.Refused, _session.AcceptReply([], out _));
    }

    private VhostUserFault Check(FrontendRequest request, uint payloadBytes) =>
        _session.CheckReplyHeader(new MessageHeader(request, MessageFlags.Version1 | MessageFlags.Reply, payloadBytes), 0);

    private ulong Deliver(BackendSession backend, byte[] config, int length, int fdCount)
    {
        Assert.Equal(VhostUserFault.None, VhostUserCodec.ReadHeader(_buffer, out MessageHeader header));
        Assert.Equal(length, MessageHeader.SizeBytes + (int)header.PayloadBytes);
        Assert.Equal(VhostUserFault.None, backend.CheckHeader(header, fdCount));
        BackendAction action = backend.Accept(header, _buffer.AsSpan(MessageHeader.SizeBytes, (int)header.PayloadBytes), fdCount);
        Assert.Equal(VhostUserFault.None, action.Fault);
        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        int replyLength = action.Reply switch
        {
            ReplyKind.Config => BackendSession.WriteConfigReply(action, config, reply),
            ReplyKind.RingBase => backend.WriteRingBaseReply(action, 0, reply),
            _ => BackendSession.WriteReply(action, succeeded: true, reply),
        };
        Assert.Equal(_session.IsReplyDue, replyLength != 0);
        if (replyLength == 0)
        {
            return 0;
        }

        Assert.Equal(VhostUserFault.None, VhostUserCodec.ReadHeader(reply, out MessageHeader replyHeader));
        Assert.Equal(VhostUserFault.None, _session.CheckReplyHeader(replyHeader, 0));
        Assert.Equal(VhostUserFault.None, _session.AcceptReply(reply.AsSpan(MessageHeader.SizeBytes, (int)replyHeader.PayloadBytes), out ulong value));
        return value;
    }
}
