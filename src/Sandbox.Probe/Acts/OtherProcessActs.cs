using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Reaching another process by its number. Signal 0: whether one could be sent is asked, none is.</summary>
internal static class OtherProcessActs
{
    internal static nint Signal(int pid) => Call(SYS_kill, pid, 0);

    internal static nint SignalThread(int pid) => Call(SYS_tgkill, pid, pid, 0);

    internal static nint SignalThreadByOldCall(int pid) => Call(SYS_tkill, pid, 0);

    /// <summary>struct siginfo_t: signal, errno, code.</summary>
    internal static nint QueueSignal(int pid)
    {
        nint information = RawScratch.Put32([0, 0, unchecked((uint)SI_QUEUE)]);
        _ = RawScratch.Reserve(InformationBytes);
        return Call(SYS_rt_sigqueueinfo, pid, 0, information);
    }

    internal static nint OpenPidFd(int pid) => Call(SYS_pidfd_open, pid, 0);

    internal static nint TakeFd(int pid)
    {
        nint process = OpenPidFd(pid);
        return process < 0 ? process : Call(SYS_pidfd_getfd, process, 0, 0);
    }

    /// <summary>Without stopping it; it is let go when the probe ends.</summary>
    internal static nint Trace(int pid) => Call(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0);

    internal static nint ReadMemory(int pid, nint address)
    {
        nint here = RawScratch.Reserve(sizeof(ulong));
        return Transfer(SYS_process_vm_readv, pid, here, address);
    }

    /// <summary>What is there already: it was read before.</summary>
    internal static nint WriteMemory(int pid, nint address)
    {
        nint here = RawScratch.Reserve(sizeof(ulong));
        _ = Transfer(SYS_process_vm_readv, pid, here, address);
        return Transfer(SYS_process_vm_writev, pid, here, address);
    }

    /// <summary>Which of two processes lies where: a way around the secrecy of addresses.</summary>
    internal static nint Compare(int pid) => Call(SYS_kcmp, pid, pid, KCMP_VM, 0, 0);

    internal static nint AskLimits(int pid) => Call(SYS_prlimit64, pid, AddressSpace, 0, RawScratch.Reserve(2 * sizeof(ulong)));

    private static nint Transfer(nint call, int pid, nint here, nint there) =>
        Call(call, pid, RawScratch.Put64([(ulong)here, sizeof(ulong)]), 1, RawScratch.Put64([(ulong)there, sizeof(ulong)]), 1, 0);

    private const int AddressSpace = Linux.ResourceLimits.AddressSpace;
    private const int InformationBytes = 128; // sizeof(siginfo_t)
}
