using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Becoming somebody who may more.</summary>
internal static class IdentityActs
{
    internal static nint BecomeRoot() => Call(SYS_setuid, 0);

    internal static nint BecomeRootGroup() => Call(SYS_setgid, 0);

    internal static nint ChangeGroups() => Call(SYS_setgroups, 1, RawScratch.Put32([0]));

    /// <summary>The capability that is as good as root's name: mounts, namespaces, and most else.</summary>
    internal static nint RaiseCapability() => RawIdentity.SetCapabilities(1UL << CAP_SYS_ADMIN);

    internal static nint LoosenSecureBits() => RawIdentity.SetSecureBits(0);

    internal static nint BecomeDumpable() => RawIdentity.SetDumpable(true);

    /// <summary>A core file would hold guest memory. Hard limits go down for everybody and up for the privileged.</summary>
    internal static nint RaiseLimit() => Call(SYS_prlimit64, 0, ResourceLimits.Core, RawScratch.Put64([ulong.MaxValue, ulong.MaxValue]), 0);

    /// <summary>-20 for this process.</summary>
    internal static nint RaisePriority() => Call(SYS_setpriority, 0, 0, -20);

    internal static nint ScheduleInRealTime() => Call(SYS_sched_setscheduler, 0, SCHED_FIFO, RawScratch.Put32([1]));
}
