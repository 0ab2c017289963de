using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

/// <summary>
/// Records of requests in flight. Museum 31: CVE-2022-0669 (more fds than the message carries leak until there are none left),
/// CVE-2021-3839 (a queue number that nobody checked).
/// </summary>
public sealed class Museum31InflightTests
{
    private const ulong Area = 2 * 4160; // 16 + 256 * 16, on a border of 64, for two queues

    private readonly BackendDouble _double = new();

    public Museum31InflightTests() => _double.AgreeInflight();

    [Theory]
    [InlineData(InflightArea.PayloadBytes)]
    [InlineData(InflightArea.PaddedPayloadBytes)]
    public void Get_IsAnsweredWithAnAreaForItsQueuesInTheSizeItCame(int payloadBytes)
    {
        BackendAction action = _double.SendInflight(FrontendRequest.GetInflightFd, new InflightArea(0, 0, 2, 256), 0, payloadBytes);

        Assert.Equal((BackendActionKind.GiveInflight, ReplyKind.Inflight), (action.Kind, action.Reply));
        Assert.Equal(new InflightArea(Area, 0, 2, 256), action.Inflight);
        byte[] reply = new byte[VhostUserLimits.MaxMessageBytes];
        Assert.Equal(MessageHeader.SizeBytes + payloadBytes, BackendSession.WriteInflightReply(action, (uint)payloadBytes, succeeded: true, reply));
        Assert.Equal(action.Inflight, VhostUserCodec.ReadInflight(reply.AsSpan(MessageHeader.SizeBytes)));
    }

    [Theory]
    [InlineData(FrontendRequest.GetInflightFd, 1)]
    [InlineData(FrontendRequest.GetInflightFd, 8)]
    [InlineData(FrontendRequest.SetInflightFd, 0)]
    [InlineData(FrontendRequest.SetInflightFd, 2)]
    [InlineData(FrontendRequest.SetInflightFd, 8)]
    public void Museum31_InflightFds_MoreOrFewerThanTheMessageCarries_EndTheSessionAndAreClosed(FrontendRequest request, int fdCount)
    {
        BackendAction action = _double.SendInflight(request, new InflightArea(Area, 0, 2, 256), fdCount);

        Assert.Equal((BackendActionKind.EndSession, VhostUserFault.BadFdCount, FdDisposition.Close), (action.Kind, action.Fault, action.Fds));
    }

    [Theory]
    [InlineData(0, 256, VhostUserFault.BadQueueIndex)]
    [InlineData(3, 256, VhostUserFault.BadQueueIndex)]
    [InlineData(0xFFFF, 256, VhostUserFault.BadQueueIndex)]
    [InlineData(2, 0, VhostUserFault.BadQueueSize)]
    [InlineData(2, 257, VhostUserFault.BadQueueSize)]
    [InlineData(2, 0xFFFF, VhostUserFault.BadQueueSize)]
    public void Museum31_InflightQueues_ThatTheDeviceHasNot_AreRefused(int queues, int size, VhostUserFault fault)
    {
        InflightArea area = new(ulong.MaxValue, 0, (ushort)queues, (ushort)size);
        Assert.Equal(fault, _double.SendInflight(FrontendRequest.GetInflightFd, area, 0).Fault);

        BackendDouble other = new();
        other.AgreeInflight();
        Assert.Equal(fault, other.SendInflight(FrontendRequest.SetInflightFd, area, 1).Fault);
    }

    [Theory]
    [InlineData(Area - 1, 0UL)] // smaller than its queues
    [InlineData(0UL, 0UL)]
    [InlineData(VhostUserLimits.MaxInflightBytes + 1, 0UL)]
    [InlineData(ulong.MaxValue, 0UL)]
    [InlineData(Area, 64UL)] // no page border: mmap would refuse it
    [InlineData(Area, 0xFFFF_FFFF_FFFF_F000UL)] // offset + size wraps
    public void Museum31_InflightArea_ThatCannotBe_IsRefused(ulong bytes, ulong offset)
    {
        BackendAction action = _double.SendInflight(FrontendRequest.SetInflightFd, new InflightArea(bytes, offset, 2, 256), 1);

        Assert.Equal((VhostUserFault.BadInflightArea, FdDisposition.Close), (action.Fault, action.Fds));
    }

    [Fact]
    public void Museum31_Ring_LargerThanItsRecord_IsRefused()
    {
        _ = _double.SendInflight(FrontendRequest.SetInflightFd, new InflightArea(Area, 0, 2, 8), 1);
        _double.Describe(0); // 16 entries
        _ = _double.Kick(0);
        _ = _double.Enable(0);

        Assert.Equal(VhostUserFault.BadQueueSize, _double.Fault);
    }

    [Fact]
    public void Museum31_Records_ChangedWhileARingRuns_AreRefused()
    {
        _double.Describe(0);
        _ = _double.Kick(0);
        _ = _double.Enable(0);
        _ = _double.SendInflight(FrontendRequest.SetInflightFd, new InflightArea(Area, 0, 2, 256), 1);

        Assert.Equal(VhostUserFault.RingIsRunning, _double.Fault);
    }

    [Fact]
    public void Inflight_NotAgreed_IsRefused()
    {
        BackendDouble other = new();
        other.Agree();

        Assert.Equal(VhostUserFault.FeatureNotNegotiated, other.SendInflight(FrontendRequest.GetInflightFd, new InflightArea(0, 0, 1, 8), 0).Fault);
    }

    [Theory]
    [InlineData(2, 2, 256, Area, VhostUserFault.BadFdCount)] // two fds
    [InlineData(1, 1, 256, Area, VhostUserFault.BadInflightArea)] // other queues than asked for
    [InlineData(1, 2, 128, Area, VhostUserFault.BadInflightArea)]
    [InlineData(1, 2, 256, ulong.MaxValue, VhostUserFault.BadInflightArea)]
    [InlineData(1, 2, 256, Area, VhostUserFault.None)]
    [InlineData(0, 0, 0, 0UL, VhostUserFault.None)] // a backend that has no place for records
    public void Frontend_JudgesTheAnswerToGet(int fdCount, int queues, int size, ulong bytes, VhostUserFault expected)
    {
        FrontendSession session = new();
        byte[] buffer = new byte[VhostUserLimits.MaxMessageBytes];
        _ = session.WriteSetProtocolFeatures((ulong)ProtocolFeatures.Wanted, buffer);
        _ = session.AcceptReply(new byte[8], out _);
        _ = session.WriteGetInflight(2, 256, buffer);
        byte[] payload = new byte[InflightArea.PaddedPayloadBytes];
        VhostUserCodec.WriteInflight(payload, new InflightArea(bytes, 0, (ushort)queues, (ushort)size));

        VhostUserFault fault = session.CheckReplyHeader(
            new MessageHeader(FrontendRequest.GetInflightFd, MessageFlags.Version1 | MessageFlags.Reply, (uint)payload.Length), fdCount);
        fault = fault == VhostUserFault.None ? session.AcceptReply(payload, out _) : fault;

        Assert.Equal(expected, fault);
    }
}
