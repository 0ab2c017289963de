using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>Starts the VMM and the device processes of a microVM and ties them together. The launcher keeps only its ends of their sockets.</summary>
internal sealed class Launcher
{
    /// <summary>Main thread, finalizer and the few of the process's own.</summary>
    private const ulong RuntimeThreads = 16;

    private readonly LaunchFiles _files;
    private readonly InstallLayout _layout;
    private readonly SandboxSecurity _security;
    private readonly StartClock _clock;

    public Launcher(LaunchFiles files, InstallLayout layout, SandboxSecurity security, StartClock clock) =>
        (_files, _layout, _security, _clock) = (files, layout, security, clock);

    /// <summary>The launcher's end of the guest's agent connection; belongs to the caller of <see cref="StartAsync"/>.</summary>
    public FdHandle Agent { get; private set; } = null!;

    /// <summary>
    /// The running watch; the VMM is its first process, the devices follow in the order of the plan. When a process cannot be started, those
    /// that were are ended before the exception leaves.
    /// </summary>
    public async Task<ProcessWatch> StartAsync()
    {
        List<FdHandle> lent = [];
        List<WatchedProcess> started = [];
        (FdHandle console, FdHandle consoleWriter) = _security.CreatePipe();
        lent.Add(consoleWriter);
        try
        {
            LinuxException.Check(FdIo.SetNonBlocking(consoleWriter.Number, on: true), "fcntl O_NONBLOCK");
            (Agent, FdHandle agentInDevice) = _security.CreateChannel();
            lent.Add(agentInDevice);
            await StartProcessesAsync(DevicePlan.For(_files, agentInDevice), consoleWriter, started, lent).ConfigureAwait(false);
        }
        catch
        {
            Agent?.Dispose();
            ProcessWatch watch = Watch(started, console);
            watch.Kill();
            await watch.AllEnded.ConfigureAwait(false);
            watch.Dispose();
            throw;
        }
        finally
        {
            foreach (FdHandle fd in lent)
            {
                fd.Dispose();
            }
        }

        _clock.ProcessesSpawned = _clock.Now;
        return Watch(started, console);
    }

    private ProcessWatch Watch(List<WatchedProcess> started, FdHandle console)
    {
        ProcessWatch watch = new(started, console, _files.Options.ConsoleReceived);
        watch.Start();
        return watch;
    }

    private async Task StartProcessesAsync(List<DevicePlan> plans, FdHandle consoleWriter, List<WatchedProcess> started, List<FdHandle> lent)
    {
        using FdHandle vmm = FileOpen.Read(_layout.Vmm);
        using FdHandle device = FileOpen.Read(_layout.Device);
        using ProcessStarter starter = new(_layout.Jail, _security, _clock.Reached);
        List<InheritedFd> vmmFds =
        [
            new(InheritedFds.VmmKvm, _files.Kvm), // makes the virtual machine
            new(InheritedFds.VmmGuestMemory, _files.GuestMemory), // maps it, and passes it on to the backends
            new(InheritedFds.VmmKernel, _files.Kernel.File), // reads it once
            new(InheritedFds.VmmInitrd, _files.Initrd), // reads it once
            new(InheritedFds.VmmConsole, consoleWriter), // writes what the guest's serial port gets
        ];
        List<IReadOnlyList<InheritedFd>> deviceFds = [];
        for (int index = 0; index < plans.Count; index++)
        {
            (FdHandle frontend, FdHandle backend) = _security.CreateChannel();
            lent.Add(frontend);
            lent.Add(backend);
            vmmFds.Add(new(InheritedFds.VmmFirstDevice + index, frontend));
            FdHandle inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
            lent.Add(inflight);
            _security.LabelMemory(inflight);
            deviceFds.Add([new(InheritedFds.DeviceVhostUser, backend), new(InheritedFds.DeviceInflight, inflight), .. plans[index].Backing.Select(static (fd, place) => new InheritedFd(InheritedFds.DeviceFirstBacking + place, fd))]);
        }

        VmmLaunchSpec spec = new()
        {
            MemoryBytes = _files.Options.MemoryBytes,
            CpuCount = _files.Options.CpuCount,
            CommandLine = _files.CommandLine,
            KernelBytes = _files.Kernel.Bytes,
            InitrdBytes = _files.InitrdBytes,
            Devices = plans.ConvertAll(static plan => plan.Device),
        };
        ProcessLimits vmmLimits = new(MaxThreads: RuntimeThreads + (ulong)spec.CpuCount, MaxFileBytes: 0);
#pragma warning disable CA2025 // CollectAsync waits for every start before the exes and the starter are closed.
        List<Task<WatchedProcess>> starts = [starter.StartAsync("sandbox-vmm", vmm, vmmFds, Frame(spec.Encode), vmmLimits, kind: null)];
        for (int index = 0; index < plans.Count; index++)
        {
            DeviceLaunchSpec deviceSpec = plans[index].Spec;
            ProcessLimits limits = new(RuntimeThreads, deviceSpec.ReadOnly ? 0 : (ulong)deviceSpec.CapacityBytes);
            starts.Add(starter.StartAsync(plans[index].Name, device, deviceFds[index], Frame(deviceSpec.Encode), limits, deviceSpec.Kind));
        }

        if (_files.Network is { Passt: not null } network)
        {
            starts.Add(Passt.StartAsync(network, _files.Options.Network!)); // the last: devices are found by their place behind the VMM
        }

#pragma warning restore CA2025
        await CollectAsync(starts, started).ConfigureAwait(false);
    }

    /// <summary>Waits for every start, also when one fails: what has been started must be known, to be ended.</summary>
    private static async Task CollectAsync(List<Task<WatchedProcess>> starts, List<WatchedProcess> started)
    {
        try
        {
            await Task.WhenAll(starts).ConfigureAwait(false);
        }
        finally
        {
            started.AddRange(starts.Where(static start => start.IsCompletedSuccessfully).Select(static start => start.Result));
        }
    }

    private delegate int Encoder(Span<byte> frame);

    private static byte[] Frame(Encoder encode)
    {
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return frame[..encode(frame)];
    }
}
