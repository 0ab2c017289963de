using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Vmm.Start;

namespace Sandbox.Vmm;

/// <summary>The VMM process: one guest, its vCPUs, its boot and its registers. Every fd is inherited (<see cref="InheritedFds"/>); it opens nothing.</summary>
internal static class Program
{
    // All that a VMM ever allocates: the launch spec, tables for 64 vCPUs, a line of text. A running guest makes it allocate nothing.
    private const long HeapBytes = 12 * 1024 * 1024;

    /// <summary>The exit code is the <see cref="EndReason"/>. The vCPUs' threads end with the process, wherever they are.</summary>
    private static int Main()
    {
        OwnProcess.Begin("sandbox-vmm");
        int code = (int)Run(new ControlChannel(InheritedFds.Control));
        OwnProcess.End(code);
        return code;
    }

    private static EndReason Run(ControlChannel control)
    {
        using EndLatch end = new();
        try
        {
            QuietRuntime.Begin(HeapBytes);
            LinuxException.Check(SeccompFilter.PromiseNoNewPrivileges(), "prctl PR_SET_NO_NEW_PRIVS");
            // seccomp/vmm-start.policy: before the launch spec, the kernel file or a backend has said a byte.
            LinuxException.Check(SeccompFilter.Install(VmmFilters.Start), "seccomp start filter");
        }
        catch (LinuxException failure)
        {
            Ended none = new(EndReason.HostFailure, (ulong)failure.Errno, failure.Message);
            control.SendEnded(none);
            return none.Reason;
        }

        if (!control.TryReceiveSpec(out LaunchFault fault, out VmmLaunchSpec? spec))
        {
            return EndReason.LauncherGone;
        }

        if (spec is null)
        {
            end.Set(EndReason.SpecRejected, (ulong)fault);
        }
        else
        {
            RunToEnd(spec, control, end);
        }

        Ended ended = end.Ended;
        control.SendEnded(ended);
        return ended.Reason;
    }

    private static void RunToEnd(VmmLaunchSpec spec, ControlChannel control, EndLatch end)
    {
        try
        {
            control.SendReady();
            if (MachineBuilder.TryBuild(spec, control, end) is { } machine)
            {
                MainLoop loop = new(machine.Devices, control, end);
                machine.CreateThreads();
                // seccomp/vmm.policy, on every thread: from here on nothing is made any more, and no byte of the guest has run.
                LinuxException.Check(SeccompFilter.Install(VmmFilters.Running), "seccomp filter");
                machine.ConfineThreads();
                control.SendPhase(VmmPhase.FirstVcpuRun);
                machine.Run();
                loop.Run();
            }
        }
        catch (LinuxException exception)
        {
            end.Set(EndReason.HostFailure, (ulong)exception.Errno, exception.Message);
        }
    }
}
