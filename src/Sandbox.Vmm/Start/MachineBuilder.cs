using System.Text;
using Sandbox.Boot;
using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Kvm;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Vmm.Cpu;
using Sandbox.Vmm.Legacy;

namespace Sandbox.Vmm.Start;

/// <summary>From a launch spec and the inherited fds to a machine about to run, phase by phase.</summary>
internal static class MachineBuilder
{
    /// <summary>Null when the kernel or a device was rejected: <paramref name="end"/> says why.</summary>
    /// <exception cref="LinuxException">The host refused something.</exception>
    public static Machine? TryBuild(VmmLaunchSpec spec, ControlChannel control, EndLatch end)
    {
        // Mapped for the life of the process: KVM and the backends hold on to it.
        GuestMemory memory = GuestMemory.Map(InheritedFds.VmmGuestMemory, GuestLayout.GetMemoryRegions((ulong)spec.MemoryBytes));
        if (!TryLoadKernel(spec, memory, end, out BootPlan plan))
        {
            return null;
        }

        control.SendPhase(VmmPhase.KernelLoaded);

        // /dev/kvm: needed to make the machine and nowhere else; closed before the guest runs.
        using FdHandle device = new(InheritedFds.VmmKvm);
        using KvmSystem kvm = new(device);
        Machine machine = new(kvm, memory, spec.CpuCount, spec.Devices.Count, new ConsoleOutput(InheritedFds.VmmConsole), end);
        if (!DeviceAttacher.TryAttach(spec, machine, memory, end))
        {
            return null;
        }

        control.SendPhase(VmmPhase.DevicesAttached);
        BootRegisters.Apply(machine.BootVcpu, plan);
        return machine;
    }

    private static bool TryLoadKernel(VmmLaunchSpec spec, GuestMemory memory, EndLatch end, out BootPlan plan)
    {
        // Kernel and initial RAM disk: read here and nowhere else; closed before the guest runs.
        using FdHandle kernelFd = new(InheritedFds.VmmKernel);
        using FdHandle initrdFd = new(InheritedFds.VmmInitrd);
        BootFile kernel = new(kernelFd.Number, (ulong)spec.KernelBytes);
        BootFile? initrd = spec.InitrdBytes == 0 ? null : new BootFile(initrdFd.Number, (ulong)spec.InitrdBytes);
        BootMachine machine = new((ulong)spec.MemoryBytes, spec.CpuCount, spec.Devices.Count);
        KernelFault fault = KernelLoader.Load(kernel, initrd, Encoding.ASCII.GetBytes(spec.CommandLine), machine, memory, out plan);
        if (fault != KernelFault.None)
        {
            end.Set(EndReason.KernelRejected, (ulong)fault, KernelFaults.Describe(fault));
        }

        return fault == KernelFault.None;
    }
}
