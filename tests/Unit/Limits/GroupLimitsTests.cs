using Sandbox.Groups;

namespace Sandbox.Unit.Tests.Limits;

public sealed class GroupLimitsTests
{
    [Fact]
    public void Defaults_LeaveRoomForAWellBehavedMicroVm()
    {
        GroupLimits limits = GroupLimits.For(new MicroVmOptions { MemoryBytes = 256 << 20, CpuCount = 2 }, threads: 66, deviceProcesses: 3, devices: []);
        Assert.Equal((256L + 16 + 96) << 20, limits.MemoryBytes);
        Assert.Equal((66L, 500), (limits.Threads, limits.CpuPercent));
        Assert.Null(limits.DiskBytesPerSecond);
    }

    [Fact]
    public void Settings_OfVersion2_AreTheKernelsFiles()
    {
        GroupLimits limits = new(1000, 20, 150, 4096, ["8:0", "8:16"]);
        Assert.Equal(
            ["memory.max=1000", "memory.swap.max=0", "memory.oom.group=1", "pids.max=20", "cpu.max=150000 100000", "io.max=8:0 rbps=4096 wbps=4096", "io.max=8:16 rbps=4096 wbps=4096"],
            limits.ForVersion2().Select(static setting => $"{setting.File}={setting.Value}"));
    }

    [Fact]
    public void Settings_OfVersion1_AreTheKernelsFiles()
    {
        GroupLimits limits = new(1000, 20, 50, 4096, ["8:0"]);
        Assert.Equal(
            [
                "memory.limit_in_bytes=1000", "memory.memsw.limit_in_bytes=1000", "memory.swappiness=0", "pids.max=20", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000",
                "blkio.throttle.read_bps_device=8:0 4096", "blkio.throttle.write_bps_device=8:0 4096",
            ],
            limits.ForVersion1().Select(static setting => $"{setting.File}={setting.Value}"));
    }

    [Fact]
    public void Settings_ThatMayLack_AreNotTheLimitItself()
    {
        GroupLimits limits = new(1000, 20, 100, null, []);
        Assert.All(
            limits.ForVersion1().Concat(limits.ForVersion2()).Where(static setting => setting.MayLack),
            static setting => Assert.Contains(setting.File, (string[])["memory.swap.max", "memory.oom.group", "memory.memsw.limit_in_bytes", "memory.swappiness"]));
    }
}
