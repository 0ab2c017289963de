using Sandbox.Control.Launch;

namespace Sandbox.Guest.Tests;

/// <summary>Guest memory and what lies beside it.</summary>
public sealed class MemoryTests
{
    [KvmFact]
    public void Memory_NoDeviceAndNoRam_ReadsOnesInEveryWidthAndIgnoresWrites()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "memory", CommandLine = "mem=800000", MemoryBytes = 0x80_0000 });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("ff", result["hole-8"]);
        Assert.Equal("ffff", result["hole-16"]);
        Assert.Equal("ffffffff", result["hole-32"]);
        Assert.Equal("ffffffffffffffff", result["hole-64"]);
        Assert.Equal("ffffffff", result["hole-after-write"]);
        Assert.Equal("1122334455667788", result["last-word"]);
        Assert.Equal("ffffffffffffffff", result["beyond"]);
    }

    [KvmFact]
    public void Memory_MoreThanThreeGibibytes_ContinuesAboveFour()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "bootinfo", MemoryBytes = 4L << 30 });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.EndsWith("start=100000000\nbytes=40000000\nkind=1\ninterrupts-on=0\n", result.Console, StringComparison.Ordinal);
    }
}
