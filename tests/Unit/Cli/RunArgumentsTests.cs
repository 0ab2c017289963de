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
