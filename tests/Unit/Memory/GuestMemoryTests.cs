using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Unit.Tests.Memory;

public sealed class GuestMemoryTests : IDisposable
{
    private const ulong LowBytes = 0x4000;
    private const ulong HighStart = 0x1_0000_0000;
    private const ulong HighBytes = 0x2000;

    private readonly FdHandle _file = MemFd.CreateSealed("test", (long)(LowBytes + HighBytes));
    private readonly GuestMemory _memory;

    public GuestMemoryTests() => _memory = GuestMemory.Map(
        _file.Number,
        [
            new GuestMemoryRegion(new GuestAddress(0), LowBytes, 0),
            new GuestMemoryRegion(new GuestAddress(HighStart), HighBytes, LowBytes),
        ]);

    public void Dispose()
    {
        _memory.Dispose();
        _file.Dispose();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, (uint)LowBytes)]
    [InlineData(LowBytes - 1, 1)]
    [InlineData(HighStart, (uint)HighBytes)]
    public void TryGetSlice_RangeInsideARegion_IsGiven(ulong start, uint lengthBytes)
    {
        Assert.True(_memory.TryGetSlice(new GuestAddress(start), lengthBytes, out _));
    }

    [Theory]
    [InlineData(LowBytes, 1)] // just behind the region
    [InlineData(LowBytes - 1, 2)] // across its end
    [InlineData(HighStart - 1, 2)] // into the next region's start
    [InlineData(HighStart + HighBytes - 1, 2)]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(ulong.MaxValue, uint.MaxValue)] // start + length wraps
    [InlineData(0, uint.MaxValue)]
    public void TryGetSlice_RangeOutsideEveryRegion_IsRefused(ulong start, uint lengthBytes)
    {
        Assert.False(_memory.TryGetSlice(new GuestAddress(start), lengthBytes, out _));
    }

    [Fact]
    public void TryWrite_SecondRegion_IsReadBackAndDoesNotTouchTheFirst()
    {
        byte[] sent = [1, 2, 3, 4];
        Assert.True(_memory.TryWrite(new GuestAddress(HighStart + 8), sent));

        byte[] received = new byte[4];
        Assert.True(_memory.TryRead(new GuestAddress(HighStart + 8), received));
        Assert.Equal(sent, received);

        byte[] low = new byte[LowBytes];
        Assert.True(_memory.TryRead(new GuestAddress(0), low));
        Assert.All(low, value => Assert.Equal(0, value));
    }
}
