using System.Diagnostics.CodeAnalysis;
using Sandbox.Boot;
using Sandbox.Kvm;
using Sandbox.Kvm.Abi;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Vmm.Bus;
using Sandbox.Vmm.Cpu;
using Sandbox.Vmm.Legacy;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Vmm.Start;

/// <summary>The hardware: KVM's part, the two buses and the devices that every machine has. Lives as long as the process.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the process: vCPU threads are still in it when the process ends.")]
internal sealed class Machine : IMachineWiring
{
    private readonly KvmVm _vm;
    private readonly KvmVcpu[] _vcpus;
    private readonly FdHandle _serialInterrupt = EventFd.Create();
    private readonly EndLatch _end;

    // Signalled by every driver that has served an interrupt, and read by nobody: it only spares the exit.
    private readonly FdHandle _acknowledged = EventFd.Create();
    private VcpuGate? _gate;

    /// <summary>Builds it around guest memory that is already mapped.</summary>
    /// <param name="kvm">Borrowed: once the machine is there, nobody needs it any more.</param>
    /// <param name="memory">Must stay mapped while the process lives.</param>
    /// <param name="cpuCount">1 or more.</param>
    /// <param name="deviceCount">Virtio devices.</param>
    /// <param name="console">Where the serial port's bytes go.</param>
    /// <param name="end">Where devices and vCPUs say that it is over.</param>
    /// <exception cref="LinuxException">The kernel refused something.</exception>
    public Machine(KvmSystem kvm, GuestMemory memory, int cpuCount, int deviceCount, ConsoleOutput console, EndLatch end)
    {
        _end = end;
        if (cpuCount > kvm.MaxVcpus)
        {
            throw new LinuxException($"{cpuCount} vCPUs, this host's KVM allows {kvm.MaxVcpus}", Errno.EINVAL);
        }

        _vm = kvm.CreateVm();
        _vm.PlaceOwnPages(GuestLayout.KvmIdentityMap, GuestLayout.KvmTss);
        Registers = ShowMemory(memory, deviceCount);
        _vm.CreateInterruptControllers();
        _vm.DisablePerformanceCounters(kvm.CheckExtension(KvmCapability.KVM_CAP_PMU_CAPABILITY));
        AttachIrqFd(GuestLayout.SerialGsi, _serialInterrupt.Number);
        Ports.Add(GuestLayout.SerialPort, SerialPort.PortCount, new SerialPort(console, _serialInterrupt.Number));
        Ports.Add(KeyboardController.FirstPort, KeyboardController.PortCount, new KeyboardController(end));
        Ports.Add(RealTimeClock.FirstPort, RealTimeClock.PortCount, new RealTimeClock());
        Ports.Add(SleepRegisters.FirstPort, SleepRegisters.PortCount, new SleepRegisters(end));
        _vcpus = CreateVcpus(kvm, cpuCount);
    }

    public PortBus Ports { get; } = new();

    public MmioBus Mmio { get; } = new();

    /// <summary>In the order of the launch spec; complete before the first vCPU runs.</summary>
    public List<AttachedDevice> Devices { get; } = [];

    /// <summary>The vCPU that starts; the others wait for it to wake them (SIPI).</summary>
    public KvmVcpu BootVcpu => _vcpus[0];

    /// <summary>
    /// Pages on which the guest reads the registers of its virtio devices, one for each: it sees them where the registers are and cannot write
    /// them. They live as long as the machine. Null: it has no such device.
    /// </summary>
    public GuestMemory? Registers { get; }

    /// <summary>From now on the guest's acknowledgement of an interrupt for used buffers, which nobody here needs, is no exit.</summary>
    /// <param name="register">A device's InterruptACK.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void DropAcknowledgements(GuestAddress register) => AttachIoEventFd(register, VirtioMmioTransport.UsedBuffer, _acknowledged.Number);

    /// <summary>Makes a thread for every vCPU, which waits: to start a thread needs system calls that a running VMM has not.</summary>
    public void CreateThreads()
    {
        _gate = new VcpuGate(_vcpus.Length);
        foreach (KvmVcpu vcpu in _vcpus)
        {
            new VcpuRunner(vcpu, Ports, Mmio, _gate, _end).Start();
        }

        _gate.AwaitThreads();
    }

    /// <summary>Puts every vCPU's thread under its own filter (seccomp/vmm-vcpu.policy), on top of that of the process.</summary>
    /// <exception cref="LinuxException">The kernel refused one.</exception>
    public void ConfineThreads() => _gate!.Confine();

    /// <summary>Lets the vCPUs run.</summary>
    public void Run() => _gate!.Open();

    public void AttachIoEventFd(GuestAddress address, uint value, int eventFd) => _vm.SetIoEventFd(address.Value, value, eventFd, attach: true);

    public void DetachIoEventFd(GuestAddress address, uint value, int eventFd) => _vm.SetIoEventFd(address.Value, value, eventFd, attach: false);

    public void AttachIrqFd(uint gsi, int eventFd) => _vm.SetIrqFd(gsi, eventFd, attach: true);

    public void DetachIrqFd(uint gsi, int eventFd) => _vm.SetIrqFd(gsi, eventFd, attach: false);

    // All of it, the registers too, before there is anything else: see CreateInterruptControllers.
    private GuestMemory? ShowMemory(GuestMemory memory, int deviceCount)
    {
        uint slot = 0;
        for (; slot < memory.RegionCount; slot++)
        {
            GuestMemoryRegion region = memory.GetRegion((int)slot);
            _vm.AddMemory(slot, region.Start.Value, region.LengthBytes, memory.GetHostAddress((int)slot));
        }

        if (deviceCount == 0)
        {
            return null;
        }

        ulong bytes = (ulong)deviceCount * GuestLayout.VirtioMmioBytes;
        GuestMemory pages = GuestMemory.MapOwn(GuestLayout.VirtioMmio(0), bytes);
        _vm.AddMemory(slot, GuestLayout.VirtioMmioStart, bytes, pages.GetHostAddress(0), readOnly: true);
        return pages;
    }

    private KvmVcpu[] CreateVcpus(KvmSystem kvm, int count)
    {
        kvm_cpuid_entry2[] supported = kvm.GetSupportedCpuid();
        bool tscDeadline = kvm.CheckExtension(KvmCapability.KVM_CAP_TSC_DEADLINE_TIMER) != 0;
        CpuTopology topology = new(count);
        KvmVcpu[] vcpus = new KvmVcpu[count];
        for (int id = 0; id < count; id++)
        {
            vcpus[id] = _vm.CreateVcpu(id);
            vcpus[id].SetCpuid(CpuidTable.Create(supported, topology, id, tscDeadline));
            ProcessorState.Prepare(vcpus[id]);
        }

        return vcpus;
    }
}
