namespace Sandbox.Lab.Tests;

/// <summary>Each kernel boots in each shape of machine and finds its devices.</summary>
[Collection(LabGroup.Name)]
public sealed class MachineShapeTests(LabHost lab)
{
    private const string Report = "nproc; awk '/MemTotal/ { print $2 }' /proc/meminfo; uname -r; for d in /sys/bus/virtio/devices/*; do cat $d/device; done | sort | tr '\\n' ' '";

    [Theory]
    [InlineData(Kernels.DebianElf, 1, 128)]
    [InlineData(Kernels.DebianElf, 2, 256)]
    [InlineData(Kernels.DebianElf, 1, 4096)]
    [InlineData(Kernels.DebianBzImage, 1, 256)]
    [InlineData(Kernels.TunedElf, 1, 64)]
    [InlineData(Kernels.TunedElf, 2, 256)]
    [InlineData(Kernels.TunedElf, 2, 4096)]
    [InlineData(Kernels.TunedBzImage, 1, 256)]
    public async Task Guest_OfAShape_HasItsProcessorsMemoryAndDevices(string kernel, int cpus, int megabytes)
    {
        CommandResult result = await lab.SandboxAsync(
            "run", "--kernel", Kernels.PathOf(kernel), "--cpus", $"{cpus}", "--memory", $"{megabytes}M", "--", "/bin/sh", "-c", Report);
        Expect.ExitCode(0, result);
        string[] lines = result.Text.Split('\n');
        Assert.Equal($"{cpus}", lines[0]);
        // The kernel keeps some for itself, the more the larger the machine.
        Assert.InRange(int.Parse(lines[1], null), megabytes * 1024 / 3, megabytes * 1024);
        // virtio 1.2, section 5: 2 = block, 4 = entropy, 19 = socket.
        Assert.Equal("0x0002 0x0004 0x0013", lines[3].Trim());
    }

    [Fact]
    public async Task EntropyDevice_InTheGuest_GivesBytes()
    {
        CommandResult result = await lab.SandboxAsync("run", "--", "/bin/sh", "-c", "cat /sys/class/misc/hw_random/rng_current; head -c 64 /dev/hwrng | wc -c");
        Expect.ExitCode(0, result);
        Assert.Equal(["virtio_rng.0", "64"], result.Text.Split('\n'));
    }
}
