using System.Runtime.Versioning;
using System.Security.Cryptography;
using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Init;

/// <summary>The guest's agent, for real, with a host on the other end of a socket.</summary>
[SupportedOSPlatform("linux")]
public sealed class AgentServerTests : IDisposable
{
    private readonly AgentDouble _agent = new();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void Exec_OutputErrorAndCode_ComeBackApart()
    {
        CommandRecord command = _agent.Run("echo out; echo err >&2; exit 7");
        _agent.WaitFor(command);
        Assert.Equal(("out\n", "err\n", 7, 0), (command.OutputText, command.ErrorText, command.Exited.ExitCode, command.Exited.Signal));
    }

    [Fact]
    public void Exec_ArgumentsEnvironmentAndDirectory_AreExact()
    {
        CommandRecord command = _agent.Exec(
            ["/bin/sh", "-c", "pwd; env; printf '[%s]' \"$@\"; cat; ls /proc/self/fd", "name", "", "a b", "ü"],
            environment: ["PATH=/usr/bin:/bin", "ONLY=this one"],
            directory: "/tmp");
        _agent.WaitFor(command);
        string[] lines = command.OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("/tmp", lines[0]);
        Assert.Contains("ONLY=this one", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("DOTNET", StringComparison.Ordinal));
        // `cat` found /dev/null; the only fd beyond the three is the one by which `ls` reads.
        Assert.Equal(["[][a b][ü]0", "1", "2", "3"], lines[^4..]);
        Assert.Equal(0, command.Exited.ExitCode);
    }

    [Fact]
    public void Exec_SessionAndSignals_AreFresh()
    {
        CommandRecord command = _agent.Run("cut -d' ' -f1,5,6 /proc/self/stat; ps -o sid= -p $$; grep -E '^Sig(Ign|Blk)' /proc/self/status; echo $$");
        _agent.WaitFor(command);
        string[] lines = command.OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines[^1], lines[1].Trim()); // leads its own session
        Assert.Contains("SigIgn:\t0000000000000000", lines);
        Assert.Contains("SigBlk:\t0000000000000000", lines);
    }

    [Fact]
    public void Exec_KilledBySignal_SignalIsReported()
    {
        CommandRecord command = _agent.Run("kill -9 $$");
        _agent.WaitFor(command);
        Assert.Equal((0, 9), (command.Exited.ExitCode, command.Exited.Signal));
    }

    [Theory]
    [InlineData("no-such-program", Errno.ENOENT)]
    [InlineData("/no/such/program", Errno.ENOENT)]
    [InlineData("", Errno.ENOENT)]
    [InlineData("/etc/passwd", Errno.EACCES)]
    [InlineData("/etc", Errno.EACCES)]
    public void Exec_CannotRun_ErrorNumberIsReported(string program, Errno error)
    {
        CommandRecord command = _agent.Exec([program]);
        _agent.WaitFor(command);
        Assert.Equal((int)error, command.ExecErrno);
    }

    [Fact]
    public void Exec_NoProgramHeader_IsNotExecutable()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "no program\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        CommandRecord command = _agent.Exec([path]);
        _agent.WaitFor(command);
        File.Delete(path);
        Assert.Equal((int)Errno.ENOEXEC, command.ExecErrno);
    }

    [Fact]
    public void Exec_PathOfItsOwnEnvironment_FindsTheProgram()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("sandbox-path-");
        string program = Path.Combine(folder.FullName, "only-here");
        File.WriteAllText(program, "#!/bin/sh\necho found\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(folder.FullName, "first", "only-here")); // a directory of that name comes first
        CommandRecord command = _agent.Exec(["only-here"], environment: [$"PATH=/nowhere:{folder.FullName}/first:{folder.FullName}:/bin"]);
        _agent.WaitFor(command);
        folder.Delete(recursive: true);
        Assert.Equal("found\n", command.OutputText);
    }

    [Fact]
    public void Streams_HundredMegabytesThroughCat_SameHash()
    {
        const int Total = 100 * 1024 * 1024;
        byte[] block = new byte[1 << 20];
        new Random(42).NextBytes(block);
        CommandRecord command = _agent.Exec(["cat"], wantInput: true);
        _agent.Pump(() => command.Command.Phase == HostCommandPhase.Running);
        using IncrementalHash sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int total = 0;
        while (total < Total)
        {
            int offset = total % block.Length;
            int count = _agent.SendInput(command, block.AsSpan(offset));
            sent.AppendData(block, offset, count);
            total += count;
            _agent.PumpOnce(count == 0 ? 60_000 : 0);
        }

        _agent.EndInput(command);
        _agent.WaitFor(command);
        Assert.Equal(Total, command.Output.Length);
        Assert.Equal(sent.GetHashAndReset(), SHA256.HashData(command.Output.GetBuffer().AsSpan(0, (int)command.Output.Length)));
        Assert.Equal(0, command.Exited.ExitCode);
    }

    [Fact]
    public void Streams_SlowReaderOfOutput_BlocksNeitherErrorNorOthers()
    {
        CommandRecord slow = _agent.Run("head -c 1000000 /dev/zero; echo done >&2");
        slow.Slow = true;
        _agent.Pump(() => slow.HeldOutputBytes == AgentLimits.StreamWindowBytes);

        CommandRecord other = _agent.Run("echo quick");
        _agent.WaitFor(other);
        Assert.Equal("quick\n", other.OutputText);
        Assert.False(_agent.PumpOnce(200), "nothing may come before credit");
        Assert.Equal(AgentLimits.StreamWindowBytes, slow.HeldOutputBytes);

        slow.Slow = false;
        _agent.Consume(slow, AgentStream.Output);
        _agent.WaitFor(slow);
        Assert.Equal(1_000_000, slow.Output.Length);
        Assert.Equal("done\n", slow.ErrorText);
    }

    [Fact]
    public void Streams_CommandThatReadsNothing_HoldsInputToOneWindow()
    {
        CommandRecord command = _agent.Run("sleep 1000", wantInput: true);
        _agent.Pump(() => command.Command.Phase == HostCommandPhase.Running);
        byte[] block = new byte[AgentLimits.MaxDataBytes];
        int total = 0;
        int sent;
        do
        {
            sent = _agent.SendInput(command, block);
            total += sent;
        }
        while (sent > 0 || _agent.PumpOnce(300));

        // The window, and what the pipe itself took (64 KiB) and gave credit for.
        Assert.InRange(total, AgentLimits.StreamWindowBytes, AgentLimits.StreamWindowBytes + (128 * 1024));
        _agent.Signal(command, 9);
        _agent.WaitFor(command);
        Assert.Equal(9, command.Exited.Signal);
    }

    [Fact]
    public void Streams_EndOfInput_ReachesTheCommand()
    {
        CommandRecord command = _agent.Exec(["wc", "-c"], wantInput: true);
        _agent.SendInput(command, "12345"u8);
        _agent.EndInput(command);
        _agent.WaitFor(command);
        Assert.Equal("5\n", command.OutputText);
    }

    [Fact]
    public void Streams_CommandClosesItsInput_HostIsToldToStop()
    {
        CommandRecord command = _agent.Run("exec <&-; echo closed; sleep 1000", wantInput: true);
        _agent.Pump(() => command.OutputText == "closed\n");
        _agent.SendInput(command, new byte[10]);
        _agent.Pump(() => !command.Command.InputOpen);
        _agent.Signal(command, 15);
        _agent.WaitFor(command);
        Assert.Equal(15, command.Exited.Signal);
    }

    [Fact]
    public void Streams_HostReadsOutputNoMore_CommandGetsBrokenPipe()
    {
        CommandRecord command = _agent.Exec(["yes"]);
        _agent.Pump(() => command.Output.Length > 100_000);
        _agent.EndOutput(command);
        _agent.WaitFor(command);
        Assert.Equal(13, command.Exited.Signal); // SIGPIPE
    }

    [Fact]
    public void Exited_BackgroundProcessHoldsThePipe_DoesNotHang()
    {
        CommandRecord command = _agent.Run("sleep 1000 & head -c 60000 /dev/zero; echo $! >&2");
        _agent.WaitFor(command);
        Assert.Equal(60_000, command.Output.Length);
        using ChildProcess kill = SpawnKill(command.ErrorText.Trim());
        Assert.Equal(0, kill.Wait().Code);
    }

    [Fact]
    public void Exited_BackgroundProcessWritesForEver_DoesNotHang()
    {
        CommandRecord command = _agent.Run("yes & sleep 0.2");
        _agent.WaitFor(command);
        Assert.Equal(0, command.Exited.ExitCode);
    }

    [Fact]
    public void Signal_GoesToTheWholeGroup()
    {
        CommandRecord command = _agent.Run("trap 'echo got' TERM; (echo ready; exec sleep 1000); exit 3"); // the shell ends only when the child has died of it
        _agent.Pump(() => command.OutputText == "ready\n");
        _agent.Signal(command, 15);
        _agent.WaitFor(command);
        Assert.Equal(("ready\ngot\n", 3), (command.OutputText, command.Exited.ExitCode));
    }

    [Fact]
    public void Exec_ManyAfterEachOtherAndAtOnce_LeakNothing()
    {
        string fds = $"/proc/{_agent.Process.Pid}/fd";
        _agent.WaitFor(_agent.Run("true"));
        int before = Directory.GetFileSystemEntries(fds).Length;
        for (int round = 0; round < 100; round++)
        {
            CommandRecord command = _agent.Run($"exit {round}");
            _agent.WaitFor(command);
            Assert.Equal(round, command.Exited.ExitCode);
        }

        CommandRecord[] together = [.. Enumerable.Range(0, AgentLimits.MaxLiveCommands).Select(index => _agent.Run($"echo {index}; read line; exit {index}", wantInput: true))];
        Assert.Null(_agent.Session.Begin(false));
        foreach (CommandRecord command in together)
        {
            _agent.EndInput(command);
        }

        for (int index = 0; index < together.Length; index++)
        {
            _agent.WaitFor(together[index]);
            Assert.Equal(($"{index}\n", index), (together[index].OutputText, together[index].Exited.ExitCode));
        }

        // A command's end is told before the last of its fds is closed.
        int after = Directory.GetFileSystemEntries(fds).Length;
        for (int wait = 0; after > before && wait < 600; wait++)
        {
            Thread.Sleep(100);
            after = Directory.GetFileSystemEntries(fds).Length;
        }

        Assert.InRange(after, 1, before);
    }

    [Fact]
    public void Connection_HostIsGone_AgentAndCommandsEnd()
    {
        CommandRecord command = _agent.Run("echo $$; sleep 1000");
        _agent.Pump(() => command.OutputText.EndsWith('\n'));
        _agent.CloseConnection();
        Assert.Equal(1, _agent.Process.Wait().Code);
        string process = $"/proc/{command.OutputText.Trim()}";
        for (int wait = 0; Directory.Exists(process) && wait < 500; wait++)
        {
            Thread.Sleep(10);
        }

        Assert.False(Directory.Exists(process));
    }

    [Fact]
    public void Shutdown_IsAnsweredAndEndsTheAgent()
    {
        _agent.Run("sleep 1000");
        _agent.Shutdown();
        _agent.Pump(() => _agent.Session.Phase == AgentPhase.Ended);
        Assert.Equal(0, _agent.Process.Wait().Code);
    }

    [Theory]
    [InlineData(new byte[] { 255, 255, 255, 255, 8, 0, 0, 0 })] // a frame of 4 GiB
    [InlineData(new byte[] { 12, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0 })] // Ready, which only a guest sends
    [InlineData(new byte[] { 16, 0, 0, 0, 11, 0, 0, 0, 99, 0, 0, 0, 9, 0, 0, 0 })] // a signal for a command that never was
    public void Connection_HostBreaksTheProtocol_AgentEnds(byte[] bytes)
    {
        _agent.SendRaw(bytes);
        Assert.Equal(1, _agent.Process.Wait().Code);
    }

    private static ChildProcess SpawnKill(string pid)
    {
        using FdHandle shell = FileOpen.Read("/bin/sh");
        return Spawner.Spawn(new SpawnSpec { Executable = shell, Arguments = ["sh", "-c", $"kill {pid}"], Fds = [] });
    }
}
