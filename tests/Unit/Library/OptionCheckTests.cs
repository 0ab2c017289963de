using Sandbox.Launch;

namespace Sandbox.Unit.Tests.Library;

public sealed class OptionCheckTests
{
    public static TheoryData<string, MicroVmOptions> BadMachines => new()
    {
        { "0 CPUs", new MicroVmOptions { CpuCount = 0 } },
        { "10000 CPUs", new MicroVmOptions { CpuCount = 10_000 } },
        { "1K", new MicroVmOptions { MemoryBytes = 1024 } },
        { "1P", new MicroVmOptions { MemoryBytes = 1L << 50 } },
        { "multiple of 4096", new MicroVmOptions { MemoryBytes = (64 << 20) + 1 } },
        { "-5 bytes", new MicroVmOptions { MemoryBytes = -5 } },
        { "host name", new MicroVmOptions { HostName = "" } },
        { "host name", new MicroVmOptions { HostName = "a b" } },
        { "host name", new MicroVmOptions { HostName = "-a" } },
        { "host name", new MicroVmOptions { HostName = new string('a', 64) } },
        { "start timeout", new MicroVmOptions { StartTimeout = TimeSpan.Zero } },
        { "14 disks", new MicroVmOptions { Disks = [.. Enumerable.Repeat(new DiskOptions { Path = "/x" }, 14)] } },
        { "disk", new MicroVmOptions { Disks = [new DiskOptions { Path = "" }] } },
        { "kernel", new MicroVmOptions { Kernel = "a\0b" } },
        { "name \"\"", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "" } } },
        { "a/b", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "a/b" } } },
        { "sixteen-letters-", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "sixteen-letters-" } } },
        { "not of kind tap", new MicroVmOptions { Network = new() { TapName = "t" } } },
        { "user networking only", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "t", Ports = [new(1, 1)] } } },
        { "leave address", new MicroVmOptions { Network = new() { Address = "192.0.2.1/24" } } },
        { "without an address", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "t", Gateway = "192.0.2.1" } } },
        { "ADDRESS/PREFIX", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "t", Address = "192.0.2.1" } } },
        { "ADDRESS/PREFIX", new MicroVmOptions { Network = new() { Kind = NetworkKind.Tap, TapName = "t", Address = "192.0.2.256/24" } } },
        { "no IPv4 address", new MicroVmOptions { Network = new() { NameServers = ["1"] } } },
        { "name servers", new MicroVmOptions { Network = new() { NameServers = ["1.1.1.1", "1.1.1.1", "1.1.1.1", "1.1.1.1"] } } },
        { "forwarded port", new MicroVmOptions { Network = new() { Ports = [new(0, 1)] } } },
        { "forwarded port", new MicroVmOptions { Network = new() { Ports = [new(1, 65536)] } } },
        { "forwarded port", new MicroVmOptions { Network = new() { Ports = [new(1, 1, "0/1,2")] } } },
        { "rate", new MicroVmOptions { Network = new() { BytesPerSecond = -1 } } },
        { "disk's rate", new MicroVmOptions { DiskRate = new() { BytesPerSecond = -1 } } },
        { "disk's rate", new MicroVmOptions { DiskRate = new() { OperationsPerSecond = 1_000_000_001 } } },
        { "disk's rate", new MicroVmOptions { Disks = [new() { Path = "/x", Rate = new() { BytesPerSecond = (1L << 40) + 1 } }] } },
        { "root file system", new MicroVmOptions { RootFileSystem = "" } },
        { "vsock port 0", new MicroVmOptions { VsockPorts = [new() { Port = 0, SocketPath = "/s" }] } },
        { "vsock port 1024 is taken", new MicroVmOptions { VsockPorts = [new() { Port = 1024, SocketPath = "/s" }] } },
        { "vsock port 5 is taken", new MicroVmOptions { VsockPorts = [new() { Port = 5, SocketPath = "/s" }, new() { Port = 5, SocketPath = "/t" }] } },
        { "vsock port's socket", new MicroVmOptions { VsockPorts = [new() { Port = 5, SocketPath = "" }] } },
        { "tag \"\" of /s", new MicroVmOptions { VhostUserDevices = [new() { SocketPath = "/s", Type = VhostUserDeviceType.FileSystem }] } },
        { "tag \"a\" of /s", new MicroVmOptions { VhostUserDevices = [new() { SocketPath = "/s", Tag = "a" }] } },
        { "36 printable", new MicroVmOptions { VhostUserDevices = [new() { SocketPath = "/s", Type = VhostUserDeviceType.FileSystem, Tag = new string('a', 37) }] } },
        { "16 vsock ports", new MicroVmOptions { VsockPorts = [.. Enumerable.Repeat(new VsockPortOptions { Port = 5, SocketPath = "/s" }, 16)] } },
    };

    public static TheoryData<string, ExecOptions> BadCommands => new()
    {
        { "no command", new ExecOptions { Command = [] } },
        { "no command", new ExecOptions { Command = [""] } },
        { "NUL", new ExecOptions { Command = ["a", "b\0"] } },
        { "environment", new ExecOptions { Command = ["a"], Environment = new Dictionary<string, string> { ["A=B"] = "" } } },
        { "environment", new ExecOptions { Command = ["a"], Environment = new Dictionary<string, string> { [""] = "" } } },
        { "working directory", new ExecOptions { Command = ["a"], WorkingDirectory = "tmp" } },
    };

    [Theory]
    [MemberData(nameof(BadMachines), DisableDiscoveryEnumeration = true)]
    public async Task Machine_OutOfRange_IsRefusedInOneLine(string words, MicroVmOptions options)
    {
        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => MicroVm.StartAsync(options));
        Assert.Equal(SandboxErrorKind.InvalidOption, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [MemberData(nameof(BadCommands), DisableDiscoveryEnumeration = true)]
    public void Command_OutOfRange_IsRefusedInOneLine(string words, ExecOptions options)
    {
        SandboxException failure = Assert.Throws<SandboxException>(() => OptionCheck.Check(options));
        Assert.Equal(SandboxErrorKind.InvalidOption, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64L << 20, 1)]
    [InlineData(1L << 40, 64)]
    public void Machine_AtItsLimits_IsAccepted(long memoryBytes, int cpuCount) =>
        OptionCheck.Check(new MicroVmOptions { MemoryBytes = memoryBytes, CpuCount = cpuCount });

    [Theory]
    [InlineData(1024, "1K")]
    [InlineData(1L << 50, "1P")]
    [InlineData(1536, "1536 bytes")]
    [InlineData(3L << 29, "1536M")]
    [InlineData(0, "0 bytes")]
    public void Size_IsShownInItsLargestWholeUnit(long bytes, string text) => Assert.Equal(text, OptionCheck.Size(bytes));

    [Fact]
    public void CommandLine_OverItsLength_IsRefusedWithBothLengths()
    {
        SandboxException failure = Assert.Throws<SandboxException>(() => GuestCommandLine.Make(new string('x', 2047)));
        Assert.Equal(SandboxErrorKind.InvalidOption, failure.Kind);
        Assert.Contains("2047", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandLine_WithALineFeed_IsRefused() =>
        Assert.Equal(SandboxErrorKind.InvalidOption, Assert.Throws<SandboxException>(() => GuestCommandLine.Make("a\nb")).Kind);
}
