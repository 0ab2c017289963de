using System.Diagnostics;
using Sandbox.Control;
using Sandbox.Control.Jail;
using Sandbox.Launch;
using Sandbox.Linux;
using Xunit.Abstractions;

namespace Sandbox.Confinement.Tests.Exes;

/// <summary>The VMM and the device process in their jail, at the point where they wait for their specification.</summary>
[Collection("processes")]
public sealed class RunningTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("sandbox-vmm")]
    [InlineData("sandbox-device")]
    public async Task Process_AfterItsStart_HasNoExecutableMemoryButItsOwnCode(string name)
    {
        using Waiting waiting = await Waiting.StartAsync(name);
        string[] executable = [.. waiting.Maps.Where(line => line.Split(' ')[1].Contains('x', StringComparison.Ordinal))];
        Assert.NotEmpty(executable);
        Assert.All(executable, line =>
        {
            Assert.DoesNotContain("w", line.Split(' ')[1], StringComparison.Ordinal);
            Assert.True(line.EndsWith("/" + name, StringComparison.Ordinal) || line.EndsWith("[vdso]", StringComparison.Ordinal) || line.EndsWith("[vsyscall]", StringComparison.Ordinal), line);
        });
    }

    [Theory]
    [InlineData("sandbox-vmm")]
    [InlineData("sandbox-device")]
    public async Task Process_Waiting_IsConfinedAndSmall(string name)
    {
        using Waiting waiting = await Waiting.StartAsync(name);
        string status = File.ReadAllText($"/proc/{waiting.Child.Pid}/status");
        Assert.Contains("\nNoNewPrivs:\t1\n", status, StringComparison.Ordinal);
        Assert.Contains("\nCapEff:\t0000000000000000\n", status, StringComparison.Ordinal);
        Assert.Contains("\nCapBnd:\t0000000000000000\n", status, StringComparison.Ordinal);
        Assert.Contains("\nThreads:\t2\n", status, StringComparison.Ordinal);
        Assert.StartsWith($"Name:\t{name}\n", status, StringComparison.Ordinal);
        if (Environment.IsPrivilegedProcess)
        {
            // Not dumpable: the files in /proc belong to root, not to the process's user.
            Assert.Equal("root", FileOwner.Of($"/proc/{waiting.Child.Pid}/mem"));
        }

        string[] memory = File.ReadAllLines($"/proc/{waiting.Child.Pid}/smaps_rollup");
        int privateKiB = KiB(memory, "Private_Dirty:");
        output.WriteLine($"{name}: {waiting.StartMilliseconds:0.0} ms to the wait for its spec, {KiB(memory, "Rss:")} KiB resident, {privateKiB} KiB private");
        Assert.InRange(privateKiB, 1, 2048);
    }

    [Theory]
    [InlineData("sandbox-vmm")]
    [InlineData("sandbox-device")]
    public async Task Process_ControlSocketCloses_EndsByItself(string name)
    {
        using Waiting waiting = await Waiting.StartAsync(name);
        waiting.Control.Dispose();
        Assert.Equal(1, Poll.Wait(waiting.Child.PidFd.Number, PollEvents.Readable, 10_000, out _));
        Assert.Equal(0, waiting.Child.Wait().Signal);
    }

    private static int KiB(string[] lines, string key) =>
        int.Parse(lines.Single(line => line.StartsWith(key, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private sealed class Waiting : IDisposable
    {
        public required ChildProcess Child { get; init; }

        public required FdHandle Control { get; init; }

        public required double StartMilliseconds { get; init; }

        public required string[] Maps { get; init; }

        public static async Task<Waiting> StartAsync(string name)
        {
            using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
            using FdHandle exe = FileOpen.Read(Repository.Exe(name));
            using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
            (FdHandle control, FdHandle childControl) = UnixSocket.CreatePair();
            using (childControl)
            {
                long begun = Stopwatch.GetTimestamp();
                uint? user = Environment.IsPrivilegedProcess ? 3_000_020u : null;
                ChildProcess child = await JailedSpawner.StartAsync(
                    jail,
                    exe,
                    [new(0, nothing), new(1, nothing), new(2, nothing), new(InheritedFds.Control, childControl)],
                    new JailSpec { UserId = user, GroupId = user, Fds = [0, 1, 2, InheritedFds.Control], Arguments = [name] });
                while (!IsReading(child.Pid) && !child.TryWait(out _))
                {
                    await Task.Delay(1);
                }

                return new Waiting
                {
                    Child = child,
                    Control = control,
                    StartMilliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds,
                    Maps = File.ReadAllLines($"/proc/{child.Pid}/maps"),
                };
            }
        }

        // The main thread sleeps in read(2) or recvmsg(2): the start is over.
        private static bool IsReading(int pid) => File.ReadAllText($"/proc/{pid}/syscall").Split(' ')[0] is "0" or "47";

        public void Dispose()
        {
            _ = Child.Kill(9);
            _ = Child.Wait();
            Child.Dispose();
            Control.Dispose();
        }
    }
}
