using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

public sealed class BackendSessionTests
{
    private readonly BackendDouble _double = new();

    [Fact]
    public void Ring_KickThenEnable_StartsAtEnable()
    {
        _double.Agree();
        _double.Describe(0);

        BackendAction kick = _double.Kick(0);
        Assert.Equal((BackendActionKind.SetKick, FdDisposition.Keep, RingChange.None), (kick.Kind, kick.Fds, kick.Ring));
        Assert.False(_double.Session.IsRunning(0));

        Assert.Equal(RingChange.Start, _double.Enable(0).Ring);
        Assert.Equal(new RingLayout(16, 0, 0x1000, 0x2000, 0), _double.Session.GetRing(0));
    }

    [Fact]
    public void Ring_WithoutProtocolFeatures_IsEnabledFromTheStart()
    {
        _double.Agree(extraFeatures: 0);
        _double.Describe(1);

        Assert.Equal(RingChange.Start, _double.Kick(1).Ring);
    }

    [Fact]
    public void Ring_EnabledBeforeTheFeatures_StartsAtItsKick()
    {
        BackendDouble backend = new();
        _ = backend.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        _ = backend.Send(FrontendRequest.SetOwner, []);
        Assert.Equal((VhostUserFault.None, RingChange.None), (backend.Enable(0).Fault, backend.Enable(0).Ring));
        _ = backend.SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1 | TransportFeatures.ProtocolFeatures);
        _ = backend.SendMemory(1, new MemoryTableRegion(0, BackendDouble.GuestBytes, new UserAddress(0x7000_0000), 0));
        backend.Describe(0);
        Assert.Equal(RingChange.Start, backend.Kick(0).Ring);
    }

    [Fact]
    public void SetFeatures_SaidAgainWhileARingRuns_ChangesNothing()
    {
        BackendDouble backend = new();
        backend.Run(0);
        BackendAction action = backend.SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1 | TransportFeatures.ProtocolFeatures);
        Assert.Equal((VhostUserFault.None, BackendActionKind.None), (action.Fault, action.Kind));
        Assert.True(backend.Session.IsRunning(0));
        _ = backend.SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1 | TransportFeatures.ProtocolFeatures | (1UL << 28));
        Assert.Equal(VhostUserFault.RingIsRunning, backend.Fault);
    }

    [Fact]
    public void Ring_DisabledAndEnabled_GoesOnWhereItStood()
    {
        _double.Run(0);

        Assert.Equal(RingChange.Pause, _double.Enable(0, on: 0).Ring);
        _double.Session.KeepPosition(0, 77);
        Assert.Equal(RingChange.Start, _double.Enable(0).Ring);
        Assert.Equal(77, _double.Session.GetRing(0).NextAvailableIndex);
    }

    [Fact]
    public void GetVringBase_OfARunningRing_StopsItAndKeepsItsPosition()
    {
        _double.Run(0);

        BackendAction action = _double.SendRing(FrontendRequest.GetVringBase, 0, 0);
        Assert.Equal((RingChange.Stop, ReplyKind.RingBase), (action.Ring, action.Reply));
        Assert.False(_double.Session.IsRunning(0));

        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        int length = _double.Session.WriteRingBaseReply(action, 0xFFFE, reply);
        Assert.Equal(MessageHeader.SizeBytes + RingState.SizeBytes, length);
        Assert.Equal(new RingState(0, 0xFFFE), VhostUserCodec.ReadRingState(reply.AsSpan(MessageHeader.SizeBytes)));

        // Enabling is not enough: the frontend has to hand in a new kick.
        Assert.Equal(RingChange.None, _double.Enable(0).Ring);
        Assert.Equal(RingChange.Start, _double.Kick(0).Ring);
        Assert.Equal(0xFFFE, _double.Session.GetRing(0).NextAvailableIndex);
    }

    [Fact]
    public void SetMemTable_UnderARunningRing_IsTakenOnlyIfTheRingLiesInIt()
    {
        _double.Run(0);

        BackendAction same = _double.SendMemory(2, Region(0, 0x10_0000, 0x7000_0000), Region(0x1000_0000, 0x1000, 0x8000_0000));
        Assert.Equal((BackendActionKind.MapMemory, FdDisposition.CloseAfterUse), (same.Kind, same.Fds));

        _ = _double.SendMemory(1, Region(0, 0x1000, 0x7000_0000));
        Assert.Equal(VhostUserFault.BadRingAddress, _double.Fault);
    }

    [Theory]
    [InlineData(0x7000_0008UL, 0x7000_1000UL, 0x7000_2000UL)] // descriptors not on 16
    [InlineData(0x7000_0000UL, 0x7000_1001UL, 0x7000_2000UL)] // available ring odd
    [InlineData(0x7000_0000UL, 0x7000_1000UL, 0x7000_2002UL)] // used ring not on 4
    [InlineData(0x700F_FFF0UL, 0x7000_1000UL, 0x7000_2000UL)] // descriptors reach over the end
    [InlineData(0x6FFF_FFF0UL, 0x7000_1000UL, 0x7000_2000UL)] // begin before the start
    [InlineData(0x7000_0000UL, 0x7000_1000UL, 0xFFFF_FFFF_FFFF_FFFCUL)] // wraps
    public void Ring_AtABadAddress_IsRefused(ulong descriptors, ulong available, ulong used)
    {
        _double.Agree();
        _double.Describe(0);
        _ = _double.SendAddresses(0, descriptors, available, used);
        _ = _double.Kick(0);

        Assert.Equal(BackendActionKind.EndSession, _double.Enable(0).Kind);
        Assert.Equal(VhostUserFault.BadRingAddress, _double.Fault);
    }

    [Fact]
    public void Acknowledge_IsSentOnlyWhenAskedForAndAgreed()
    {
        const MessageFlags NeedReply = MessageFlags.Version1 | MessageFlags.NeedReply;
        Assert.Equal(ReplyKind.None, _double.Send(FrontendRequest.ResetOwner, [], flags: NeedReply).Reply);

        _ = _double.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        Assert.Equal(ReplyKind.None, _double.Send(FrontendRequest.ResetOwner, []).Reply);

        BackendAction action = _double.Send(FrontendRequest.SetOwner, [], flags: NeedReply);
        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        Assert.Equal(20, BackendSession.WriteReply(action, succeeded: false, reply));
        Assert.Equal(1UL, VhostUserCodec.ReadValue(reply.AsSpan(MessageHeader.SizeBytes)));
    }

    [Theory]
    [InlineData(0u, 8u, new byte[] { 1, 2, 3, 4, 0, 0, 0, 0 })] // longer than the device's: zeros
    [InlineData(2u, 2u, new byte[] { 3, 4 })]
    [InlineData(9u, 1u, new byte[] { 0 })]
    public void GetConfig_GivesWhatThereIs(uint offset, uint length, byte[] expected)
    {
        _ = _double.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        byte[] payload = new byte[ConfigRange.SizeBytes + length];
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(offset, length, 0));

        BackendAction action = _double.Send(FrontendRequest.GetConfig, payload);
        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        int bytes = BackendSession.WriteConfigReply(action, [1, 2, 3, 4], reply);

        Assert.Equal(expected, reply[(MessageHeader.SizeBytes + ConfigRange.SizeBytes)..bytes]);
    }

    [Fact]
    public void GetConfig_BeyondTheMaximum_IsAnsweredEmpty()
    {
        _ = _double.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        byte[] payload = new byte[ConfigRange.SizeBytes + 4];
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(uint.MaxValue, 4, 0));

        BackendAction action = _double.Send(FrontendRequest.GetConfig, payload);

        Assert.Equal(MessageHeader.SizeBytes, BackendSession.WriteConfigReply(action, [1], new byte[VhostUserLimits.MaxMessageBytes]));
    }

    [Fact]
    public void EveryMessage_AfterAFault_IsRefused()
    {
        _ = _double.Send((FrontendRequest)99, []);

        Assert.Equal(BackendActionKind.EndSession, _double.Send(FrontendRequest.GetFeatures, []).Kind);
        Assert.NotEqual(VhostUserFault.None, _double.Session.CheckHeader(BackendDouble.Header(FrontendRequest.SetOwner, 0), 0));
    }

    private static MemoryTableRegion Region(ulong guest, ulong bytes, ulong user) => new(guest, bytes, new UserAddress(user), 0);
}
