using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Groups;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>Starts the VMM and the device processes of a microVM and ties them together. The launcher keeps only its ends of their sockets.</summary>
internal sealed class Launcher
{
    private readonly LaunchFiles _files;
    private readonly InstallLayout _layout;
    private readonly SandboxSecurity _security;
    private readonly StartClock _clock;

    public Launcher(LaunchFiles files, InstallLayout layout, SandboxSecurity security, StartClock clock) =>
        (_files, _layout, _security, _clock) = (files, layout, security, clock);

    /// <summary>The control groups of the microVM, borrowed; null where there are none. Default: null.</summary>
    public SandboxGroup? Group { get; init; }

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
        DeviceLauncher? devices = null;
        (FdHandle console, FdHandle consoleWriter) = _security.CreatePipe();
        lent.Add(consoleWriter);
        try
        {
            LinuxException.Check(FdIo.SetNonBlocking(consoleWriter.Number, on: true), "fcntl O_NONBLOCK");
            (Agent, FdHandle agentInDevice) = _security.CreateChannel();
            lent.Add(agentInDevice);
            List<FdHandle> ports = [];
            foreach (VsockPortOptions port in _files.Options.VsockPorts)
            {
                ports.Add(_security.ConnectChannel("vsock port's socket", port.SocketPath));
                lent.Add(ports[^1]);
            }

            List<FdHandle> backends = [];
            foreach (VhostUserDeviceOptions device in _files.Options.VhostUserDevices)
            {
                backends.Add(_security.ConnectChannel("vhost-user socket", device.SocketPath));
                lent.Add(backends[^1]);
            }

            List<DevicePlan> plans = DevicePlan.For(_files, agentInDevice, ports, backends);
            devices = new DeviceLauncher(new ProcessStarter(_layout.Jail, _security, _clock.Reached) { Groups = Group?.Entrances ?? [] }, FileOpen.Read(_layout.Device), plans, _security, _files.Options.MemoryBytes);
            await StartProcessesAsync(plans, devices, consoleWriter, started, lent).ConfigureAwait(false);
            int vsock = plans.FindIndex(static plan => plan.Device.Kind == DeviceKind.Vsock);
            started[vsock + 1].Connector = new VsockConnector(plans[vsock].ConnectPaths, _security); // the VMM is before the devices
        }
        catch
        {
            Agent?.Dispose();
            ProcessWatch watch = Watch(started, devices, console);
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
        return Watch(started, devices, console);
    }

    private ProcessWatch Watch(List<WatchedProcess> started, DeviceLauncher? devices, FdHandle console)
    {
        ProcessWatch watch = new(started, devices is null ? null : new DeviceRevival(devices, () => Group is { RanOutOfMemory: true }), console, _files.Options.ConsoleReceived);
        watch.Start();
        return watch;
    }

    private async Task StartProcessesAsync(List<DevicePlan> plans, DeviceLauncher devices, FdHandle consoleWriter, List<WatchedProcess> started, List<FdHandle> lent)
    {
        using FdHandle vmm = FileOpen.Read(_layout.Vmm);
        using ProcessStarter starter = new(_layout.Jail, _security, _clock.Reached) { Groups = Group?.Entrances ?? [] };
        List<FdHandle> sockets = [];
        List<FdHandle> backends = [];
        foreach (DevicePlan plan in plans)
        {
            if (plan.Spec is null)
            {
                sockets.Add(plan.Backing[0]); // connected to somebody else's backend
                continue;
            }

            (FdHandle frontend, FdHandle backend) = _security.CreateChannel();
            lent.Add(frontend);
            lent.Add(backend);
            sockets.Add(frontend);
            backends.Add(backend);
        }

        ProcessPlan vmmPlan = ProcessPlan.ForVmm(_files, plans, consoleWriter, sockets);
#pragma warning disable CA2025 // CollectAsync waits for every start before the exes and the starter are closed.
        List<Task<WatchedProcess>> starts = [starter.StartAsync(vmmPlan.Argv, vmm, vmmPlan.Fds, vmmPlan.Spec, vmmPlan.Limits, kind: null)];
        for (int index = 0; index < backends.Count; index++)
        {
            starts.Add(devices.StartAsync(index, backends[index]));
        }

        if (_files.Network is { Passt: not null } network)
        {
            starts.Add(Passt.StartAsync(network, _files.Options.Network!, Group)); // the last: devices are found by their place behind the VMM
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
}
