using Sandbox.Cli.Run;

namespace Sandbox.Unit.Tests.Cli;

public sealed class RunArgumentsTests
{
    [Fact]
    public void Options_OfEveryKind_AreRead()
    {
        RunRequest run = RunArguments.Parse(
        [
            "--rootfs", "/r", "--kernel=/k", "--kernel-args", "a=b", "--memory", "1G", "--cpus", "2", "--timeout", "5m", "--env", "A=1=2", "--env", "B=",
            "--workdir", "/w", "--hostname", "h", "--disk", "/d1", "--disk", "/d2:ro", "--timing", "--verbose", "--", "-x", "--memory",
        ])!;
        Assert.Equal(("/r", "/k", "a=b"), (run.MicroVm.RootFileSystem, run.MicroVm.Kernel, run.MicroVm.KernelArguments));
        Assert.Equal((1L << 30, 2, "h"), (run.MicroVm.MemoryBytes, run.MicroVm.CpuCount, run.MicroVm.HostName));
        Assert.Equal(TimeSpan.FromMinutes(5), run.Timeout);
        Assert.Equal(run.Timeout, run.MicroVm.StartTimeout);
        Assert.Equal([("/d1", false), ("/d2", true)], run.MicroVm.Disks.Select(disk => (disk.Path, disk.ReadOnly)));
        Assert.Equal(["-x", "--memory"], run.Exec.Command);
        Assert.Equal("1=2", run.Exec.Environment["A"]);
        Assert.Equal("", run.Exec.Environment["B"]);
        Assert.Equal("/w", run.Exec.WorkingDirectory);
        Assert.True(run.PrintTiming && run.HasWritableDisk && run.MicroVm.ConsoleReceived is not null);
    }

    [Theory]
    [InlineData("vhost-user=/run/s", "/run/s", VhostUserDeviceType.Block, "")]
    [InlineData("vhost-user=/run/a,b,type=blk", "/run/a,b", VhostUserDeviceType.Block, "")]
    [InlineData("vhost-user=s,type=rng", "s", VhostUserDeviceType.Entropy, "")]
    [InlineData("vhost-user=s,type=fs,tag=work,tree", "s", VhostUserDeviceType.FileSystem, "work,tree")]
    public void Device_IsReadWithItsType(string text, string path, VhostUserDeviceType type, string tag)
    {
        VhostUserDeviceOptions device = Assert.Single(RunArguments.Parse(["--device", text, "true"])!.MicroVm.VhostUserDevices);
        Assert.Equal((path, type, tag), (device.SocketPath, device.Type, device.Tag));
    }

    [Theory]
    [InlineData("/run/s")]
    [InlineData("vhost-user=/run/s,type=gpu")]
    public void Device_ThatIsNone_IsRefusedWithTheForm(string text)
    {
        SandboxException refused = Assert.Throws<SandboxException>(() => RunArguments.Parse(["--device", text, "true"]));
        Assert.Contains("vhost-user=PATH", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void VsockPort_IsReadWithItsSocket()
    {
        VsockPortOptions guest = Assert.Single(RunArguments.Parse(["--vsock", "guest:7=/g", "true"])!.MicroVm.VsockPorts);
        Assert.Equal((7u, "/g", true), (guest.Port, guest.SocketPath, guest.GuestListens));
        VsockPortOptions port = Assert.Single(RunArguments.Parse(["--vsock", "5000=/run/a=b", "true"])!.MicroVm.VsockPorts);
        Assert.False(port.GuestListens);
        Assert.Equal((5000u, "/run/a=b"), (port.Port, port.SocketPath));
    }

    [Theory]
    [InlineData("5000")]
    [InlineData("=/run/s")]
    [InlineData("port=/run/s")]
    [InlineData("4294967296=/run/s")]
    public void VsockPort_ThatIsNone_IsRefusedWithTheForm(string text)
    {
        SandboxException refused = Assert.Throws<SandboxException>(() => RunArguments.Parse(["--vsock", text, "true"]));
        Assert.Contains("PORT=PATH", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Network_OfEveryKind_IsRead()
    {
        NetworkOptions user = RunArguments.Parse(["--net", "user", "-p", "8080:80", "-p", "0.0.0.0:1:2", "--net-rate", "1M", "--dns", "192.0.2.1", "true"])!.MicroVm.Network!;
        Assert.Equal((NetworkKind.User, 1L << 20), (user.Kind, user.BytesPerSecond));
        Assert.Equal([new PortForward(8080, 80), new PortForward(1, 2, "0.0.0.0")], user.Ports);
        Assert.Equal(["192.0.2.1"], user.NameServers);
        NetworkOptions tap = RunArguments.Parse(["--net=tap=t0", "--ip", "192.0.2.2/24", "--gateway", "192.0.2.1", "true"])!.MicroVm.Network!;
        Assert.Equal((NetworkKind.Tap, "t0", "192.0.2.2/24", "192.0.2.1"), (tap.Kind, tap.TapName, tap.Address, tap.Gateway));
        Assert.Equal((1, 1), (user.QueuePairCount, tap.QueuePairCount));
        NetworkOptions several = RunArguments.Parse(["--net", "tap=t0,queues=4", "true"])!.MicroVm.Network!;
        Assert.Equal((NetworkKind.Tap, "t0", 4), (several.Kind, several.TapName, several.QueuePairCount));
        Assert.Equal(2, RunArguments.Parse(["--net", "user,queues=2", "true"])!.MicroVm.Network!.QueuePairCount);
        Assert.Null(RunArguments.Parse(["true"])!.MicroVm.Network);
        Assert.Null(RunArguments.Parse(["--net", "none", "true"])!.MicroVm.Network);
    }

    [Fact]
    public void Balloon_WhenAskedFor_IsThere()
    {
        Assert.True(RunArguments.Parse(["--balloon", "true"])!.MicroVm.Balloon);
        Assert.False(RunArguments.Parse(["true"])!.MicroVm.Balloon);
    }

    [Theory]
    [InlineData("2M", 2L << 20, 0)]
    [InlineData("2M,300", 2L << 20, 300)]
    [InlineData("0,300", 0, 300)]
    public void DiskRate_IsReadAsBytesAndRequests(string text, long bytes, long operations)
    {
        DiskRateOptions rate = RunArguments.Parse(["--disk-rate", text, "true"])!.MicroVm.DiskRate;
        Assert.Equal((bytes, operations), (rate.BytesPerSecond, rate.OperationsPerSecond));
    }

    [Theory]
    [InlineData("-t", true)]
    [InlineData("-it", true)]
    [InlineData("--tty", true)]
    [InlineData("-i", false)]
    public void Terminal_WhenAskedFor_IsTheCommands(string option, bool terminal)
    {
        RunRequest run = RunArguments.Parse([option, "--env", "TERM=mine", "sh"])!;
        Assert.Equal((terminal, terminal), (run.WithTerminal, run.Exec.Terminal is not null));
        Assert.Equal("mine", run.Exec.Environment["TERM"]);
    }

    [Fact]
    public void FirstWord_EndsTheOptions()
    {
        RunRequest run = RunArguments.Parse(["--cpus", "2", "ls", "-l", "--cpus", "x", "--"])!;
        Assert.Equal(["ls", "-l", "--cpus", "x", "--"], run.Exec.Command);
        Assert.Equal(2, run.MicroVm.CpuCount);
    }

    [Fact]
    public void Defaults_AreTheLibrarys()
    {
        RunRequest run = RunArguments.Parse(["true"])!;
        MicroVmOptions defaults = new();
        Assert.Equal((defaults.MemoryBytes, defaults.CpuCount, defaults.StartTimeout), (run.MicroVm.MemoryBytes, run.MicroVm.CpuCount, run.MicroVm.StartTimeout));
        Assert.Null(run.Timeout);
        Assert.False(run.HasWritableDisk || run.PrintTiming);
    }

    [Fact]
    public void Help_AmongTheOptions_IsAskedFor() => Assert.Null(RunArguments.Parse(["--cpus", "2", "--help"]));

    [Theory]
    [InlineData("--bogus", "--bogus", "true")]
    [InlineData("--bogus", "--bogus")]
    [InlineData("--cpus", "--cpus", "two", "true")]
    [InlineData("--cpus", "--cpus")]
    [InlineData("--rootfs", "--rootfs")]
    [InlineData("--memory", "--memory", "lots", "true")]
    [InlineData("--timeout", "--timeout", "soon", "true")]
    [InlineData("--env", "--env", "=x", "true")]
    [InlineData("--disk-rate", "--disk-rate", "fast", "true")]
    [InlineData("--disk-rate", "--disk-rate", "1M,", "true")]
    [InlineData("--net", "--net", "host", "true")]
    [InlineData("HOST:GUEST", "--net", "user", "-p", "80", "true")]
    [InlineData("HOST:GUEST", "--net", "user", "-p", "a:80", "true")]
    [InlineData("--net user", "-p", "80:80", "true")]
    [InlineData("--net user", "--net-rate", "1M", "true")]
    [InlineData("no command")]
    [InlineData("no command", "--")]
    [InlineData("no command", "--timing")]
    public void BadArguments_AreNamed(string words, params string[] arguments)
    {
        SandboxException failure = Assert.Throws<SandboxException>(() => RunArguments.Parse(arguments));
        Assert.Equal(SandboxErrorKind.InvalidOption, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }
}
