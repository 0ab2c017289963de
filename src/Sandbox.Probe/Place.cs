using Sandbox.Control;
using Sandbox.Control.Proof;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe;

/// <summary>What the real process does to itself between its exec and the moment its guest runs.</summary>
internal static class Place
{
    /// <param name="process">Whose place.</param>
    /// <param name="filtered">With the filters of that process, up to the phase in which the guest runs: an attacker comes no sooner.</param>
    internal static void Take(ProbedProcess process, bool filtered)
    {
        if (process == ProbedProcess.None)
        {
            return;
        }

        // As OwnProcess.Begin: the exec has made us dumpable again.
        if (RawIdentity.SetDumpable(false) < 0)
        {
            Probe.Fail("it could not make itself untraceable\n"u8);
        }

        if (process is ProbedProcess.Vmm or ProbedProcess.VmmVcpu)
        {
            BuildMachine();
        }

        if (filtered)
        {
            PutFilterOn(process);
        }
    }

    // In the order in which the real process puts them on: they stack.
    private static void PutFilterOn(ProbedProcess process)
    {
        bool isVmm = process is ProbedProcess.Vmm or ProbedProcess.VmmVcpu;
        Install(isVmm ? ProbedFilters.VmmStart : ProbedFilters.DeviceStart, allThreads: true);
        switch (process)
        {
            case ProbedProcess.BlockDevice:
                Install(ProbedFilters.Block, allThreads: true);
                break;
            case ProbedProcess.EntropyDevice:
                Install(ProbedFilters.Entropy, allThreads: true);
                break;
            case ProbedProcess.BalloonDevice:
                Install(ProbedFilters.Balloon, allThreads: true);
                break;
            case ProbedProcess.VsockDevice:
                Install(ProbedFilters.Vsock, allThreads: true);
                break;
            case ProbedProcess.NetworkDevice:
                Install(ProbedFilters.Network, allThreads: true);
                break;
            case ProbedProcess.Vmm or ProbedProcess.VmmVcpu:
                Install(ProbedFilters.VmmRunning, allThreads: true);
                break;
            default:
                Probe.Fail("there is no filter of that kind\n"u8);
                break;
        }

        if (process == ProbedProcess.VmmVcpu)
        {
            Install(ProbedFilters.Vcpu, allThreads: false);
        }
    }

    private static void Install(ReadOnlySpan<byte> filter, bool allThreads)
    {
        if (RawFilter.Install(filter, allThreads) < 0)
        {
            Probe.Fail("a filter could not be installed\n"u8);
        }
    }

    // A running VMM holds one virtual machine and its processors; what it has read it has closed.
    private static void BuildMachine()
    {
        nint machine = Call(SYS_ioctl, InheritedFds.VmmKvm, KVM_CREATE_VM);
        if (machine < 0 || Call(SYS_ioctl, machine, KVM_CREATE_VCPU) < 0)
        {
            Probe.Fail("KVM made no virtual machine\n"u8);
        }

        _ = RawFile.Close(InheritedFds.VmmKvm);
        _ = RawFile.Close(InheritedFds.VmmKernel);
        _ = RawFile.Close(InheritedFds.VmmInitrd);
    }
}
