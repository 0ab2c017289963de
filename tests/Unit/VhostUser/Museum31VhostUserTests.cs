using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

/// <summary>
/// Museum 31: what went wrong in other vhost-user backends. CVE-2022-0669: fds of a message that nobody closed; CVE-2021-3839: an unchecked
/// queue number; CVE-2018-1059: unchecked ranges.
/// </summary>
public sealed class Museum31VhostUserTests
{
    private readonly BackendDouble _double = new();

    [Theory]
    [InlineData(FrontendRequest.GetInflightFd, 8)]
    [InlineData(FrontendRequest.SetInflightFd, 8)]
    [InlineData(FrontendRequest.SetOwner, 1)]
    [InlineData(FrontendRequest.GetFeatures, 1)]
    public void Museum31_FdsNobodyAskedFor_EndTheSessionAndAreClosed(FrontendRequest request, int fdCount)
    {
        Assert.NotEqual(VhostUserFault.None, _double.Session.CheckHeader(BackendDouble.Header(request, 0), fdCount));

        BackendAction action = _double.Send(request, [], fdCount);
        Assert.Equal((BackendActionKind.EndSession, FdDisposition.Close), (action.Kind, action.Fds));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(8)]
    public void Museum31_MemoryTable_WithAnotherNumberOfFdsThanRegions_IsRefused(int fdCount)
    {
        _ = _double.Send(FrontendRequest.SetOwner, []);

        BackendAction action = _double.SendMemory(fdCount, new MemoryTableRegion(0, 0x1000, new UserAddress(0), 0));

        Assert.Equal((VhostUserFault.BadFdCount, FdDisposition.Close), (action.Fault, action.Fds));
    }

    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0UL)] // empty
    [InlineData(0UL, 0x1001UL, 0UL, 0UL)] // not on a page
    [InlineData(0x800UL, 0x1000UL, 0UL, 0UL)]
    [InlineData(0UL, 0x1000UL, 0x10UL, 0UL)]
    [InlineData(0UL, 0x1000UL, 0UL, 0x10UL)]
    [InlineData(0xFFFF_FFFF_FFFF_F000UL, 0x2000UL, 0UL, 0UL)] // guest range wraps
    [InlineData(0UL, 0x2000UL, 0xFFFF_FFFF_FFFF_F000UL, 0UL)] // user range wraps
    [InlineData(0UL, 0x1000UL, 0UL, 0xFFFF_FFFF_FFFF_F000UL)] // beyond any file
    [InlineData(0UL, 0xFFFF_FFFF_FFFF_F000UL, 0UL, 0x7FFF_FFFF_FFFF_F000UL)] // offset + size wraps
    public void Museum31_MemoryTable_WithABadRegion_IsRefused(ulong guest, ulong bytes, ulong user, ulong offset)
    {
        _ = _double.Send(FrontendRequest.SetOwner, []);

        _ = _double.SendMemory(1, new MemoryTableRegion(guest, bytes, new UserAddress(user), offset));

        Assert.Equal(VhostUserFault.BadMemoryTable, _double.Fault);
    }

    [Theory]
    [InlineData(0x1000UL, 0x8000UL)] // guest ranges overlap
    [InlineData(0x8000UL, 0x1000UL)] // user ranges overlap
    public void Museum31_MemoryTable_WithRegionsThatOverlap_IsRefused(ulong secondGuest, ulong secondUser)
    {
        _ = _double.Send(FrontendRequest.SetOwner, []);

        _ = _double.SendMemory(
            2,
            new MemoryTableRegion(0, 0x2000, new UserAddress(0), 0),
            new MemoryTableRegion(secondGuest, 0x2000, new UserAddress(secondUser), 0));

        Assert.Equal(VhostUserFault.BadMemoryTable, _double.Fault);
    }

    [Theory]
    [InlineData(0u, VhostUserFault.BadMemoryTable)]
    [InlineData(2u, VhostUserFault.BadPayloadSize)] // one region in the payload
    [InlineData(9u, VhostUserFault.BadMemoryTable)]
    [InlineData(0xFFFF_FFFFu, VhostUserFault.BadMemoryTable)]
    public void Museum31_MemoryTable_WhoseCountLies_IsRefused(uint count, VhostUserFault fault)
    {
        _ = _double.Send(FrontendRequest.SetOwner, []);
        byte[] payload = new byte[40];
        BackendDouble.WriteRegions(payload, count, new MemoryTableRegion(0, 0x1000, new UserAddress(0), 0));

        _ = _double.Send(FrontendRequest.SetMemTable, payload, fdCount: 1);

        Assert.Equal(fault, _double.Fault);
    }

    [Theory]
    [InlineData(FrontendRequest.SetVringNum)]
    [InlineData(FrontendRequest.SetVringBase)]
    [InlineData(FrontendRequest.SetVringEnable)]
    [InlineData(FrontendRequest.GetVringBase)]
    public void Museum31_QueueNumber_BeyondTheDevice_IsRefused(FrontendRequest request)
    {
        foreach (uint index in new[] { 2u, 255u, 0x8000_0000u, uint.MaxValue })
        {
            BackendDouble fresh = new();
            fresh.Agree();
            _ = fresh.SendRing(request, index, 1);
            Assert.Equal(VhostUserFault.BadQueueIndex, fresh.Fault);
        }
    }

    [Theory]
    [InlineData(2UL, 1, VhostUserFault.BadQueueIndex)]
    [InlineData(0xFFUL, 1, VhostUserFault.BadQueueIndex)]
    [InlineData(0UL, 0, VhostUserFault.BadFdCount)]
    [InlineData(0x100UL, 1, VhostUserFault.BadFdCount)] // "no fd", and one came
    [InlineData(0x100UL, 0, VhostUserFault.BadFdCount)] // polling is not offered
    [InlineData(0x200UL, 1, VhostUserFault.BadValue)]
    public void Museum31_Kick_ThatContradictsItself_IsRefusedAndItsFdClosed(ulong value, int fdCount, VhostUserFault fault)
    {
        _double.Agree();
        _double.Describe(0);

        BackendAction action = _double.SendValue(FrontendRequest.SetVringKick, value, fdCount);

        Assert.Equal((fault, FdDisposition.Close), (action.Fault, action.Fds));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(512u)] // above the device's maximum
    [InlineData(0x8000_0000u)]
    public void Museum31_QueueSize_ThatIsNone_IsRefused(uint size)
    {
        _double.Agree();

        _ = _double.SendRing(FrontendRequest.SetVringNum, 0, size);

        Assert.Equal(VhostUserFault.BadQueueSize, _double.Fault);
    }

    [Theory]
    [InlineData(FrontendRequest.SetVringNum, VhostUserFault.RingIsRunning)]
    [InlineData(FrontendRequest.SetVringBase, VhostUserFault.RingIsRunning)]
    public void Museum31_RingState_ChangedWhileTheRingRuns_IsRefused(FrontendRequest request, VhostUserFault fault)
    {
        _double.Run(0);

        _ = _double.SendRing(request, 0, 8);

        Assert.Equal(fault, _double.Fault);
    }

    [Fact]
    public void Museum31_FeaturesAndAddresses_ChangedWhileTheRingRuns_AreRefused()
    {
        _double.Run(0);
        _ = _double.SendAddresses(0, 0x7000_4000, 0x7000_5000, 0x7000_6000);
        Assert.Equal(VhostUserFault.RingIsRunning, _double.Fault);

        BackendDouble other = new();
        other.Run(0);
        _ = other.SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1);
        Assert.Equal(VhostUserFault.RingIsRunning, other.Fault);
    }

    [Fact]
    public void Museum31_PayloadSize_IsJudgedBeforeThePayloadIsRead()
    {
        foreach (FrontendRequest request in Enum.GetValues<FrontendRequest>())
        {
            foreach (uint size in new[] { (uint)VhostUserLimits.MaxPayloadBytes + 1, 0x8000_0000u, uint.MaxValue })
            {
                BackendDouble fresh = new();
                fresh.Agree();
                Assert.NotEqual(VhostUserFault.None, fresh.Session.CheckHeader(new MessageHeader(request, MessageFlags.Version1, size), 0));
            }
        }
    }
}
