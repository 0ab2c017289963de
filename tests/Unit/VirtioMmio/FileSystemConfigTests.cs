using Sandbox.Vmm.VirtioMmio;
using Xunit;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>virtio 1.2, 5.11.4: a tag of 36 bytes, ended by zero only where it is shorter, and the count of request queues.</summary>
public sealed class FileSystemConfigTests
{
    [Fact]
    public void Config_OfAShortTag_IsFilledWithZeroes()
    {
        byte[] config = FileSystemConfig.Of("work", queueCount: 2);
        Assert.Equal(40, config.Length);
        Assert.Equal("work"u8, config.AsSpan(0, 4));
        Assert.False(config.AsSpan(4, 32).ContainsAnyExcept((byte)0));
        Assert.Equal([1, 0, 0, 0], config[36..]);
    }

    [Fact]
    public void Config_OfTheLongestTag_HasNoEnd() => Assert.Equal([(byte)'x', 3, 0, 0, 0], FileSystemConfig.Of(new string('x', 36), queueCount: 4)[35..]);
}
