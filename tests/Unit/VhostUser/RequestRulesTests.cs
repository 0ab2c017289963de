using System.Text;
using Sandbox.VhostUser;
using Snapshooter.Xunit;

namespace Sandbox.Unit.Tests.VhostUser;

public sealed class RequestRulesTests
{
    /// <summary>The whole table, so that a change of what a stranger may send is seen in a review.</summary>
    [Fact]
    public void Table_IsWhatWasReviewed()
    {
        StringBuilder text = new();
        for (uint number = 0; number < 64; number++)
        {
            RequestRule rule = RequestRules.Of((FrontendRequest)number);
            text.Append(number).Append(' ');
            text.AppendLine(rule.Phases == SessionPhase.Never
                ? "forbidden"
                : $"{(FrontendRequest)number}: phases {rule.Phases}; payload {rule.MinPayloadBytes}..{rule.MaxPayloadBytes}; fds {rule.Fds}; needs {rule.Needs}; reply {rule.Reply}");
        }

        Snapshot.Match(text.ToString());
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(0u)]
    [InlineData(26u)]
    public void Of_ANumberWithoutARow_AllowsNothing(uint number) =>
        Assert.Equal(SessionPhase.Never, RequestRules.Of((FrontendRequest)number).Phases);

    /// <summary>A row says when: each request, sent one phase too early, is out of order.</summary>
    [Theory]
    [InlineData(FrontendRequest.SetFeatures, 8)]
    [InlineData(FrontendRequest.SetMemTable, 40)]
    [InlineData(FrontendRequest.SetVringNum, 8)]
    [InlineData(FrontendRequest.SetVringAddr, 40)]
    [InlineData(FrontendRequest.SetVringKick, 8)]
    [InlineData(FrontendRequest.SetVringEnable, 8)]
    [InlineData(FrontendRequest.GetVringBase, 8)]
    public void Request_BeforeTheOwner_IsOutOfOrder(FrontendRequest request, int payloadBytes)
    {
        BackendDouble backend = new();

        _ = backend.Send(request, new byte[payloadBytes]);

        Assert.Equal(VhostUserFault.RequestOutOfOrder, backend.Fault);
    }

    [Fact]
    public void SetOwner_Twice_IsOutOfOrder()
    {
        BackendDouble backend = new();
        _ = backend.Send(FrontendRequest.SetOwner, []);
        _ = backend.Send(FrontendRequest.SetOwner, []);

        Assert.Equal(VhostUserFault.RequestOutOfOrder, backend.Fault);
    }

    [Theory]
    [InlineData(FrontendRequest.GetQueueNum, 0)]
    [InlineData(FrontendRequest.GetConfig, 12)]
    public void Request_OfAFeatureNotAgreed_IsRefused(FrontendRequest request, int payloadBytes)
    {
        BackendDouble backend = new();

        _ = backend.Send(request, new byte[payloadBytes]);

        Assert.Equal(VhostUserFault.FeatureNotNegotiated, backend.Fault);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(TransportFeatures.Version1 | (1UL << 5))]
    public void SetFeatures_WithoutVersion1OrNotOffered_IsRefused(ulong features)
    {
        BackendDouble backend = new();
        _ = backend.Send(FrontendRequest.SetOwner, []);
        _ = backend.SendValue(FrontendRequest.SetFeatures, features);

        Assert.Equal(VhostUserFault.BadFeatures, backend.Fault);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(0x11u)]
    public void ReadHeader_OfAnotherVersionOrUnknownFlags_IsAFault(uint flags)
    {
        byte[] bytes = new byte[MessageHeader.SizeBytes];
        VhostUserCodec.WriteHeader(bytes, new MessageHeader(FrontendRequest.GetFeatures, (MessageFlags)flags, 0));

        Assert.Equal(VhostUserFault.BadHeaderFlags, VhostUserCodec.ReadHeader(bytes, out _));
    }
}
