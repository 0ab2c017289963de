using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Vmm.Start;

namespace Sandbox.Vmm;

/// <summary>The VMM process: one guest, its vCPUs, its boot and its registers. Every fd is inherited (<see cref="InheritedFds"/>); it opens nothing.</summary>
internal static class Program
{
    /// <summary>The exit code is the <see cref="EndReason"/>. The vCPUs' threads end with the process, wherever they are.</summary>
    private static int Main()
    {
        OwnProcess.Begin("sandbox-vmm");
        ControlChannel control = new(InheritedFds.Control);
        using EndLatch end = new();
        if (!control.TryReceiveSpec(out LaunchFault fault, out VmmLaunchSpec? spec))
        {
            return (int)EndReason.LauncherGone;
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
        return (int)ended.Reason;
    }

    private static void RunToEnd(VmmLaunchSpec spec, ControlChannel control, EndLatch end)
    {
        try
        {
            control.SendReady();
            if (MachineBuilder.TryBuild(spec, control, end) is { } machine)
            {
                control.SendPhase(VmmPhase.FirstVcpuRun);
                machine.Start();
                new MainLoop(machine.Devices, control, end).Run();
            }
        }
        catch (LinuxException exception)
        {
            end.Set(EndReason.HostFailure, (ulong)exception.Errno, exception.Message);
        }
    }
}
