using System.Text;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Guest.Tests;

/// <summary>
/// Each rule of the VMM's three filters is needed, down to each alternative and each bit: a copy of the real exe that lacks one dies by its filter
/// while it runs guests that a complete one runs to their end. The copies run as on a host without a clock in user space.
/// </summary>
public sealed class FilterRuleTests : IDisposable
{
    private const int BadSystemCall = 31; // SIGSYS
    private const int Rounds = 4;

    /// <summary>What no guest can reach here, with the reason; the policy says it too.</summary>
    private static readonly Dictionary<string, string> Unreachable = new()
    {
        ["vmm-start ioctl: arg1 == 0x4068aea3"] = "KVM_ENABLE_CAP takes the performance counters away, where KVM has them: this machine's and the lab's have none",
    };

    private readonly string _image = Path.GetTempFileName();

    public FilterRuleTests() => File.WriteAllBytes(_image, new byte[64 * 1024]);

    public static TheoryData<string, string> Cuts
    {
        get
        {
            TheoryData<string, string> cuts = [];
            foreach (FilterCut cut in PolicyFiles.Names.Where(static policy => policy.StartsWith("vmm", StringComparison.Ordinal)).SelectMany(FilterCut.Of))
            {
                if (!Unreachable.ContainsKey($"{cut.Policy} {cut.Name}"))
                {
                    cuts.Add(cut.Policy, cut.Name);
                }
            }

            return cuts;
        }
    }

    public void Dispose() => File.Delete(_image);

    [KvmTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Guests_WithEveryRule_RunToTheirEnd(bool clockInUserSpace)
    {
        using ChangedExe exe = new(Artifacts.Exe("sandbox-vmm"));
        _ = clockInUserSpace ? exe.Write() : exe.WithoutClockInUserSpace().Write();
        MicroVmResult busy = RunBusyGuest(exe.Path);
        busy.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("0", busy["wrong"]);
        RunOddGuest(exe.Path).AssertEnded(EndReason.InternalError);
        RunWideGuest(exe.Path).AssertEnded(EndReason.GuestReset);
    }

    [KvmTheory]
    [MemberData(nameof(Cuts))]
    public void Guests_WithoutOneRule_EndByTheFilter(string policy, string cut)
    {
        using ChangedExe exe = new ChangedExe(Artifacts.Exe("sandbox-vmm")).WithFilter(FilterCut.Find(policy, cut)).WithoutClockInUserSpace().Write();
        Func<string, MicroVmResult>[] guests = [RunBusyGuest, RunOddGuest, RunWideGuest];
        // Whether a thread has to wait for an answer depends on who runs first: a rule is needed when one run in some dies without it.
        Assert.Contains(Enumerable.Repeat(guests, Rounds).SelectMany(static all => all), run => run(exe.Path).Exit.Signal == BadSystemCall);
    }

    [Fact]
    public void Exceptions_OfThisList_AreInThePolicies()
    {
        string[] cuts = [.. PolicyFiles.Names.SelectMany(FilterCut.Of).Select(static cut => $"{cut.Policy} {cut.Name}")];
        Assert.All(Unreachable.Keys, exception => Assert.Contains(exception, cuts));
    }

    // Two processors, a disk that is started twice, whose process dies and is replaced, and an orderly end.
    private MicroVmResult RunBusyGuest(string executable)
    {
        using MicroVm vm = MicroVm.Start(new() { Guest = "rings", CpuCount = 2, Executable = executable, DiskImage = _image, Replaceable = true });
        StringBuilder console = new();
        for (char next = vm.ReadConsoleByte(); next != '\0' && !console.ToString().EndsWith("running", StringComparison.Ordinal); next = vm.ReadConsoleByte())
        {
            console.Append(next);
        }

        try
        {
            // While a backend is slow, the second processor waits for the device: the longer, the surer.
            foreach (int slowMilliseconds in new[] { 0, 50, 300 })
            {
                if (!vm.HasEnded)
                {
                    vm.ReplaceDisk(slowMilliseconds);
                }
            }
        }
        catch (LinuxException)
        {
            // The VMM has died: its exit status tells of what.
        }

        using (FileStream stop = new(_image, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stop.Write("stop!!!!"u8);
        }

        MicroVmResult result = vm.WaitForEnd();
        File.WriteAllBytes(_image, new byte[64 * 1024]);
        return result;
    }

    // An instruction that KVM cannot emulate.
    private static MicroVmResult RunOddGuest(string executable) => MicroVm.Run(new() { Guest = "unemulated", Executable = executable });

    // As many threads as there can be: what they take when they start must be there without a call that no filter grants.
    private static MicroVmResult RunWideGuest(string executable) => MicroVm.Run(new() { Guest = "reset", Executable = executable, CpuCount = LaunchLimits.MaxCpus });
}
