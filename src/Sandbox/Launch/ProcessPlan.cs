using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>A process of a microVM as it will be started.</summary>
/// <param name="name">For messages, and argv[0].</param>
/// <param name="device">Which device it is; null: it is the VMM.</param>
/// <param name="fds">Its own fds, borrowed; standard streams and control socket are not among them.</param>
/// <param name="spec">The whole frame of its specification.</param>
/// <param name="limits">What it may use of the host.</param>
internal sealed class ProcessPlan(string name, DeviceLaunchSpec? device, IReadOnlyList<InheritedFd> fds, ReadOnlyMemory<byte> spec, ProcessLimits limits)
{
    /// <summary>The name, and what else its command line says.</summary>
    public IReadOnlyList<string> Argv { get; init; } = [name];

    public DeviceLaunchSpec? Device { get; } = device;

    public IReadOnlyList<InheritedFd> Fds { get; } = fds;

    public ReadOnlyMemory<byte> Spec { get; } = spec;

    public ProcessLimits Limits { get; } = limits;


    /// <summary>Main thread, finalizer and the few of the process's own.</summary>
    private const ulong RuntimeThreads = 16;

    /// <summary>The exe, the runtime and its heap (0.4 GB are reserved for one of 64 MB).</summary>
    private const ulong RuntimeAddressBytes = 1UL << 30;

    /// <summary>A thread's stack; the C library keeps no heap for each (<see cref="OwnProcess.Begin"/>).</summary>
    private const ulong AddressBytesOfThread = 10UL << 20;

    public bool IsVmm => Device is null;

    /// <summary>The VMM first, then the devices in the order of their plans, all without labels. What is made for them goes to <paramref name="lent"/>: the caller's, until they are started.</summary>
    public static List<ProcessPlan> For(LaunchFiles files, List<DevicePlan> devices, FdHandle consoleWriter, List<FdHandle> lent)
    {
        List<FdHandle> sockets = [];
        List<ProcessPlan> plans = [];
        foreach (DevicePlan device in devices)
        {
            (FdHandle frontend, FdHandle backend) = UnixSocket.CreatePair();
            lent.Add(frontend);
            lent.Add(backend);
            sockets.Add(frontend);
            FdHandle? inflight = device.Device.Replaceable ? MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes) : null;
            if (inflight is not null)
            {
                lent.Add(inflight);
            }

            plans.Add(ForDevice(device, files.Options.MemoryBytes, backend, inflight, device.Backing));
        }

        plans.Insert(0, ForVmm(files, devices, consoleWriter, sockets));
        return plans;
    }

    /// <summary>The VMM in front of a connected vhost-user socket for each device, in the order of their plans.</summary>
    public static ProcessPlan ForVmm(LaunchFiles files, List<DevicePlan> devices, FdHandle consoleWriter, IReadOnlyList<FdHandle> sockets)
    {
        VmmLaunchSpec spec = new()
        {
            MemoryBytes = files.Options.MemoryBytes,
            CpuCount = files.Options.CpuCount,
            CommandLine = files.CommandLine,
            KernelBytes = files.Kernel.Bytes,
            InitrdBytes = files.InitrdBytes,
            Devices = devices.ConvertAll(static plan => plan.Device),
        };
        InheritedFd[] fds =
        [
            new(InheritedFds.VmmKvm, files.Kvm), // makes the virtual machine
            new(InheritedFds.VmmGuestMemory, files.GuestMemory), // maps it, and passes it on to the backends
            new(InheritedFds.VmmKernel, files.Kernel.File), // reads it once
            new(InheritedFds.VmmInitrd, files.Initrd), // reads it once
            new(InheritedFds.VmmConsole, consoleWriter), // writes what the guest's serial port gets
            .. sockets.Select(static (socket, place) => new InheritedFd(InheritedFds.VmmFirstDevice + place, socket)), // speaks with each device's backend
        ];
        return new("sandbox-vmm", null, fds, Frame(spec.Encode), LimitsFor(files.Options.MemoryBytes, RuntimeThreads + (ulong)spec.CpuCount, maxFileBytes: 0));
    }

    /// <summary>A device of our own, on the backend end of its vhost-user socket. A record of requests in flight is for those that can be replaced.</summary>
    public static ProcessPlan ForDevice(DevicePlan device, long guestMemoryBytes, FdHandle backend, FdHandle? inflight, IReadOnlyList<FdHandle> backing)
    {
        DeviceLaunchSpec spec = device.Spec ?? throw new InvalidOperationException("a stranger's backend is not ours to start");
        List<InheritedFd> fds = [new(InheritedFds.DeviceVhostUser, backend)]; // speaks with the VMM
        if (inflight is not null)
        {
            fds.Add(new(InheritedFds.DeviceInflight, inflight)); // records requests in flight, or the network driver's choice, for a successor
        }

        fds.AddRange(backing.Select(static (fd, place) => new InheritedFd(InheritedFds.DeviceFirstBacking + place, fd))); // its one resource
        return new(device.Name, spec, fds, Frame(spec.Encode), LimitsFor(guestMemoryBytes, RuntimeThreads, spec.ReadOnly ? 0 : (ulong)spec.CapacityBytes))
        {
            Argv = [device.Name, .. device.Arguments],
        };
    }

    /// <summary>Guest memory counts twice: a new memory table is mapped before the old one goes.</summary>
    private static ProcessLimits LimitsFor(long guestMemoryBytes, ulong threads, ulong maxFileBytes) =>
        new(threads, maxFileBytes, RuntimeAddressBytes + (2 * (ulong)guestMemoryBytes) + (threads * AddressBytesOfThread));

    private delegate int Encoder(Span<byte> frame);

    private static ReadOnlyMemory<byte> Frame(Encoder encode)
    {
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return frame.AsMemory(0, encode(frame));
    }
}
