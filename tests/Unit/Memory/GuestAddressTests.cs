using Sandbox.Memory;

namespace Sandbox.Unit.Tests.Memory;

public sealed class GuestAddressTests
{
    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(1, ulong.MaxValue - 1, true)]
    [InlineData(1, ulong.MaxValue, false)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, false)]
    public void TryAdd_AtTheEndOfTheAddressSpace_TellsAWrap(ulong start, ulong bytes, bool fits)
    {
        Assert.Equal(fits, new GuestAddress(start).TryAdd(bytes, out _));
    }
}
