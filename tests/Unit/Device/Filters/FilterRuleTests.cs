using Sandbox.Linux;
using Sandbox.Testing;
using Sandbox.Testing.Filters;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>
/// Each rule of the device processes' filters is needed, down to each alternative and each bit: a copy of the real exe that lacks one dies by its
/// filter in a session that a complete one serves to its end. The copies run as on a host without a clock in user space, where rules for it are needed.
/// </summary>
public sealed class FilterRuleTests
{
    private const int BadSystemCall = 31; // SIGSYS

    /// <summary>What no session can reach here, with the reason; the policy says it too.</summary>
    private static readonly Dictionary<string, string> Unreachable = [];

    private static readonly Dictionary<string, Func<DeviceWorkload>[]> Workloads = new()
    {
        ["device-block"] = [static () => new BlockWorkload(onMedium: false, direct: false), static () => new BlockWorkload(onMedium: true, direct: false), static () => new BlockWorkload(onMedium: true, direct: true)],
        ["device-entropy"] = [static () => new EntropyWorkload()],
        ["device-balloon"] = [static () => new BalloonWorkload()],
        ["device-net"] = [static () => new NetWorkload(), static () => new TapWorkload()],
        ["device-vsock"] = [static () => new VsockWorkload()],
    };

    public static TheoryData<string, bool> Kinds
    {
        get
        {
            TheoryData<string, bool> kinds = [];
            foreach (string kind in Workloads.Keys)
            {
                kinds.Add(kind, false);
                kinds.Add(kind, true);
            }

            return kinds;
        }
    }

    public static TheoryData<string, string> Cuts
    {
        get
        {
            TheoryData<string, string> cuts = [];
            foreach (FilterCut cut in PolicyFiles.Names.Where(static policy => policy.StartsWith("device-", StringComparison.Ordinal)).SelectMany(FilterCut.Of))
            {
                if (!Unreachable.ContainsKey($"{cut.Policy} {cut.Name}"))
                {
                    cuts.Add(cut.Policy, cut.Name);
                }
            }

            return cuts;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Session_WithEveryRule_IsServedToItsEnd(string kind, bool clockInUserSpace)
    {
        using ChangedExe exe = new(DeviceProcess.ExecutablePath);
        _ = clockInUserSpace ? exe.Write() : exe.WithoutClockInUserSpace().Write();
        Assert.All(Workloads[kind], make => Assert.Equal(new ExitStatus(0, 0), Serve(make, exe)));
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Session_WithoutOneRule_EndsByTheFilter(string policy, string cut)
    {
        using ChangedExe exe = new ChangedExe(DeviceProcess.ExecutablePath).WithFilter(FilterCut.Find(policy, cut)).WithoutClockInUserSpace().Write();
        // What every kind starts with, some kind needs.
        Assert.Contains(Workloads.Where(entry => policy == "device-start" || entry.Key == policy).SelectMany(static entry => entry.Value), make => Serve(make, exe).Signal == BadSystemCall);
    }

    [Fact]
    public void Exceptions_OfThisList_AreInThePolicies()
    {
        string[] cuts = [.. PolicyFiles.Names.SelectMany(FilterCut.Of).Select(static cut => $"{cut.Policy} {cut.Name}")];
        Assert.All(Unreachable.Keys, exception => Assert.Contains(exception, cuts));
    }

    private static ExitStatus Serve(Func<DeviceWorkload> make, ChangedExe exe)
    {
        using DeviceWorkload workload = make();
        return workload.Serve(exe.Path);
    }
}
