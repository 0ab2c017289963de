using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Confinement.Tests.Runtime;

/// <summary>
/// The .NET runtime under the filters, with the settings that the exes are shipped with, many times: what it survives as the product uses it, how it
/// ends where the product promises never to go, and what it would cost to let it collect.
/// </summary>
[Collection("processes")]
public sealed class RuntimeTests
{
    private const int Times = 20;
    private const int BadSystemCall = 31; // SIGSYS
    private const string CollectingPolicy = "../tests/TestRuntime/collecting";

    private static readonly ExitStatus Well = new(0, 0);

    public static TheoryData<string> CollectingCuts => [.. FilterCut.Of(CollectingPolicy).Select(static cut => cut.Name)];

    [Theory]
    [InlineData("device")] // thousands of exceptions
    [InlineData("vmm")] // sixteen threads made under the start filter, at one lock under that of a vCPU, with exceptions
    public void Runtime_UnderTheFilters_Survives(string mode) => Assert.All(Enumerable.Range(0, Times), _ => Assert.Equal(Well, RuntimeRun.Run(mode)));

    [Fact]
    public void Runtime_ThatGetsSignals_Survives()
    {
        const int Stop = 19, Continue = 18, WindowChanged = 28, Urgent = 23;
        using RuntimeRun run = RuntimeRun.Start("device-stopped");
        run.AwaitWord();
        for (int time = 0; time < Times; time++)
        {
            Assert.All((int[])[Stop, Continue, WindowChanged, Urgent], signal => Assert.Equal(0, run.Process.Kill(signal)));
        }

        run.Answer();
        Assert.Equal(Well, run.WaitForEnd());
    }

    /// <summary>No collector: a process that has used up what was committed at its start is over, at once and by its filter.</summary>
    [Theory]
    [InlineData("exhaust-device")]
    [InlineData("exhaust-vmm")]
    public void Runtime_ThatUsesUpItsHeap_IsKilledAtOnce(string mode) =>
        Assert.All(Enumerable.Range(0, Times / 2), _ => Assert.Equal(BadSystemCall, RuntimeRun.Run(mode).Signal));

    [Fact]
    public async Task Sandbox_WhoseVmmUsesUpItsHeap_EndsWithALine()
    {
        string folder = Directory.CreateTempSubdirectory("sandbox-exhausted").FullName;
        try
        {
            foreach (string exe in (string[])["sandbox-jail", "sandbox-device", "sandbox-init"])
            {
                File.CreateSymbolicLink(Path.Combine(folder, exe), Repository.Exe(exe));
            }

            File.CreateSymbolicLink(Path.Combine(folder, "sandbox-vmm"), RuntimeRun.Executable);
            MicroVmOptions options = new()
            {
                ExecutableDirectory = folder,
                Kernel = RuntimeRun.Executable, // never read
                RootFileSystem = Path.Combine(Repository.Root, "artifacts", "share", "rootfs.erofs"),
            };
            SandboxException end = await Assert.ThrowsAsync<SandboxException>(() => MicroVm.StartAsync(options));
            Assert.Matches("^sandbox-vmm was killed for (the system call [a-z0-9_]+ |a system call )", end.Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>With the calls that a collector, threads that end and times need, it survives those too: that list is what the product does without.</summary>
    [Fact]
    public void RuntimeThatCollects_UnderItsLongerList_Survives() => Assert.All(Enumerable.Range(0, Times / 2), static _ => Assert.Equal(Well, RuntimeRun.Run("collecting")));

    /// <summary>And none of them could be spared. When a collection meets a thread is a matter of chance: it is tried more than once.</summary>
    [Theory]
    [MemberData(nameof(CollectingCuts))]
    public void RuntimeThatCollects_WithoutOneOfThem_DoesNot(string cut)
    {
        using ChangedExe exe = new ChangedExe(RuntimeRun.Executable).WithFilter(FilterCut.Find(CollectingPolicy, cut)).Write();
        Assert.Contains(Enumerable.Range(0, Times), _ => RuntimeRun.Run("collecting", exe.Path).Signal == BadSystemCall);
    }
}
