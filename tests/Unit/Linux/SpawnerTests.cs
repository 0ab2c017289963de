using System.Text;
using Sandbox.Linux;
using Xunit;

namespace Sandbox.Unit.Tests.Linux;

public sealed class SpawnerTests
{
    [Fact]
    public void Child_ExitsWithCode_CodeIsReported()
    {
        using ChildProcess child = Start("exit 7");
        Assert.Equal(new ExitStatus(7, 0), child.Wait());
        Assert.Equal(new ExitStatus(7, 0), child.Wait());
        Assert.Equal(-(int)Errno.ESRCH, child.Kill(9));
    }

    [Fact]
    public void Child_IsKilled_SignalIsReported()
    {
        using ChildProcess child = Start("read line");
        Assert.False(child.TryWait(out _));
        Assert.Equal(0, child.Kill(9));
        Assert.Equal(new ExitStatus(-1, 9), child.Wait());
        Assert.Equal(137, child.Wait().ShellCode);
    }

    [Fact]
    public void Table_WithHoles_IsExact()
    {
        // The shell's own fd for the directory is gone by the time of -L.
        Assert.Equal("0\n1\n2\n4\n9\n", OutputWith("for fd in /proc/$$/fd/*; do [ -L $fd ] && echo ${fd##*/}; done", 4, 9));
    }

    [Fact]
    public void Table_OverlappingNumbers_EachArrivesWhereItBelongs()
    {
        // Pipes whose own numbers are the targets of others: a naive sequence of dup2 would overwrite them.
        List<FdHandle> owned = [];
        List<InheritedFd> table = [];
        try
        {
            for (int index = 0; index < 12; index++)
            {
                FdHandle file = MemFd.Create($"file{index}");
                Assert.Equal(0, FdIo.WriteAll(file.Number, Encoding.ASCII.GetBytes($"{index};")));
                owned.Add(file);
            }

            int lowest = owned.Min(file => file.Number);
            for (int index = 0; index < owned.Count; index++)
            {
                table.Add(new InheritedFd(lowest + ((index + 5) % owned.Count), owned[index]));
            }

            string script = string.Concat(Enumerable.Range(0, owned.Count).Select(index => $"cat /proc/self/fd/{lowest + index};"));
            string expected = string.Concat(Enumerable.Range(0, owned.Count).Select(index => $"{(index + owned.Count - 5) % owned.Count};"));
            Assert.Equal(expected, Output(script, table));
        }
        finally
        {
            owned.ForEach(file => file.Dispose());
        }
    }

    [Fact]
    public void Environment_NotGiven_IsEmpty() =>
        Assert.Equal("", Output("cat /proc/$$/environ", []));

    [Fact]
    public void Signals_OfThisProcess_AreNotInherited()
    {
        // The .NET runtime ignores SIGPIPE and blocks signals around its own work.
        string[] lines = Output("while read line; do echo \"$line\"; done < /proc/$$/status", []).Split('\n');
        Assert.Contains("SigBlk:\t0000000000000000", lines);
        // 32 and 33 belong to glibc, whose posix_spawn leaves them ignored.
        Assert.Contains("SigIgn:\t0000000180000000", lines);
    }

    [Fact]
    public async Task Thread_OfManySpawns_IsTheSame()
    {
        // Children of a thread that ended would have lost their parent-death signal; the parent's threads are counted from outside.
        using ChildProcess first = await Spawner.SpawnAsync(Shell("exit 0", []));
        _ = first.Wait();
        Assert.Equal(1, SpawnerThreads());
        ChildProcess[] children = await Task.WhenAll(Enumerable.Range(0, 20).Select(index => Spawner.SpawnAsync(Shell($"exit {index}", []))));
        Assert.Equal(1, SpawnerThreads());
        for (int index = 0; index < children.Length; index++)
        {
            Assert.Equal(index, children[index].Wait().Code);
            children[index].Dispose();
        }
    }

    [Fact]
    public void Executable_IsNoProgram_ErrorNamesIt()
    {
        using FdHandle text = FileOpen.Read("/etc/passwd");
        LinuxException error = Assert.Throws<LinuxException>(() => Spawner.Spawn(new SpawnSpec { Executable = text, Arguments = ["thing"], Fds = [] }));
        Assert.Equal(Errno.EACCES, error.Errno);
        Assert.Contains("thing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_NumberTwice_IsRefused()
    {
        using FdHandle file = MemFd.Create("twice");
        Assert.Throws<ArgumentException>(() => Spawner.Spawn(Shell("exit 0", [new InheritedFd(3, file), new InheritedFd(3, file)])));
        Assert.Throws<ArgumentException>(() => Spawner.Spawn(Shell("exit 0", [new InheritedFd(SpawnSpec.MaxChildNumber + 1, file)])));
    }

    [Fact]
    public void Adopt_ProcessOfSomebodyElse_IsRefused()
    {
        LinuxException error = Assert.Throws<LinuxException>(() => ChildProcess.Adopt(1));
        Assert.Equal(Errno.ECHILD, error.Errno);
    }

    private static int SpawnerThreads() =>
        Directory.GetDirectories("/proc/self/task").Count(task => File.ReadAllText($"{task}/comm") == "spawner\n");

    private static ChildProcess Start(string script) => Spawner.Spawn(Shell(script, []));

    private static string OutputWith(string script, params int[] numbers)
    {
        using FdHandle file = MemFd.Create("extra");
        return Output(script, [.. numbers.Select(number => new InheritedFd(number, file))]);
    }

    private static string Output(string script, List<InheritedFd> fds)
    {
        using FdHandle output = MemFd.Create("output");
        using FdHandle null0 = FileOpen.ReadWrite("/dev/null");
        List<InheritedFd> table = [new(0, null0), new(1, output), new(2, output)];
        // A colliding number would be this test's mistake: Spawn refuses it.
        table.AddRange(fds);
        using ChildProcess child = Spawner.Spawn(Shell(script, table));
        Assert.Equal(0, child.Wait().ShellCode);
        byte[] buffer = new byte[65536];
        int count = LinuxException.Check(FdIo.ReadAt(output.Number, buffer, 0), "pread");
        return Encoding.ASCII.GetString(buffer, 0, count);
    }

    private static SpawnSpec Shell(string script, List<InheritedFd> fds)
    {
        return new()
        {
            Executable = ShellFile,
            Arguments = ["sh", "-c", script],
            Fds = fds.Count > 0 ? fds : [new(0, EndlessInput.First)],
        };
    }

    private static readonly FdHandle ShellFile = FileOpen.Read("/bin/sh");

    // An input that never comes: the other end stays open.
    private static readonly (FdHandle First, FdHandle Second) EndlessInput = UnixSocket.CreatePair();
}
