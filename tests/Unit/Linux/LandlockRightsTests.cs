using Sandbox.Linux.PreRuntime;

namespace Sandbox.Unit.Tests.Linux;

/// <summary>What is asked of each Landlock ABI (landlock(7), "Landlock ABI versions"). An older kernel refuses a bit it does not know.</summary>
public sealed class LandlockRightsTests
{
    [Theory]
    [InlineData(1, 0x1FFF, 0, 0)]
    [InlineData(2, 0x3FFF, 0, 0)]
    [InlineData(3, 0x7FFF, 0, 0)]
    [InlineData(4, 0x7FFF, 3, 0)]
    [InlineData(5, 0xFFFF, 3, 0)]
    [InlineData(6, 0xFFFF, 3, 3)]
    [InlineData(7, 0xFFFF, 3, 3)]
    [InlineData(8, 0xFFFF, 3, 3)]
    public void Rights_OfAnAbi_AreAllThatItKnows(int abi, ulong files, ulong network, ulong scopes) =>
        Assert.Equal(new LandlockRights(files, network, scopes), LandlockRights.Of(abi));

    [Fact]
    public void Exception_ForTheExe_LetsNothingBeWritten() => Assert.Equal(0x5UL, LandlockRights.ExecuteAndRead);
}
