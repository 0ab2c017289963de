using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>
/// Starts the process of each device, and again when it has died. It keeps what that takes: the exe and, of devices that can be replaced, the
/// files behind them and their records of requests in flight.
/// </summary>
internal sealed class DeviceLauncher : IDisposable
{
    private readonly ProcessStarter _starter;
    private readonly FdHandle _executable;
    private readonly SandboxSecurity _security;
    private readonly long _guestMemoryBytes;
    private readonly Entry[] _entries;

    /// <param name="starter">Taken over.</param>
    /// <param name="executable">sandbox-device, opened; taken over.</param>
    /// <param name="plans">The devices. Their backing fds stay the caller's, who keeps them open until each has been started once.</param>
    /// <param name="security">What labels sockets and memory; not owned.</param>
    /// <param name="guestMemoryBytes">Which each of them maps.</param>
    public DeviceLauncher(ProcessStarter starter, FdHandle executable, IReadOnlyList<DevicePlan> plans, SandboxSecurity security, long guestMemoryBytes)
    {
        _security = security;
        _guestMemoryBytes = guestMemoryBytes;
        _starter = starter;
        _executable = executable;
        _entries = [.. plans.Select(plan => new Entry(plan, security))];
    }

    /// <summary>Whether the device's process can be replaced when it dies.</summary>
    public bool IsReplaceable(int place) => place < _entries.Length && _entries[place].Plan.Device.Replaceable; // behind the devices: passt

    /// <summary>For messages.</summary>
    public string NameOf(int place) => _entries[place].Plan.Name;

    /// <summary>Whether the file of a disk has another size than its process was given; the process that starts next is given this one.</summary>
    /// <param name="place">A disk.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="SandboxException">The file has a size that a disk cannot have; nothing has changed.</exception>
    public bool TryTakeSize(int place, string name)
    {
        Entry entry = _entries[place];
        DeviceLaunchSpec spec = entry.Plan.Spec!;
        long bytes = DiskImage.LengthOf(entry.Backing[0], name, spec.Direct);
        bool differs = bytes != spec.CapacityBytes;
        spec.CapacityBytes = bytes;
        return differs;
    }

    /// <summary>A vhost-user connection for a device: the VMM's end, the device's.</summary>
    public (FdHandle Frontend, FdHandle Backend) CreateChannel() => _security.CreateChannel();

    /// <summary>Starts the device's process on the backend end of a vhost-user socket, borrowed.</summary>
    public Task<WatchedProcess> StartAsync(int place, FdHandle backend)
    {
        Entry entry = _entries[place];
        ProcessPlan plan = ProcessPlan.ForDevice(entry.Plan, _guestMemoryBytes, backend, entry.Inflight, entry.Backing);
        return _starter.StartAsync(plan.Argv, _executable, plan.Fds, plan.Spec, plan.Limits, plan.Device!.Kind);
    }

    public void Dispose()
    {
        foreach (Entry entry in _entries)
        {
            entry.Dispose();
        }

        _executable.Dispose();
        _starter.Dispose();
    }

    private sealed class Entry : IDisposable
    {
        public Entry(DevicePlan plan, SandboxSecurity security)
        {
            Plan = plan;
            if (!plan.Device.Replaceable)
            {
                Backing = plan.Backing;
                return;
            }

            Backing = [.. plan.Backing.Select(static fd => FdIo.Duplicate(fd.Number))];
            Inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
            security.LabelMemory(Inflight);
        }

        public DevicePlan Plan { get; }

        public IReadOnlyList<FdHandle> Backing { get; }

        public FdHandle? Inflight { get; }

        public void Dispose()
        {
            if (Inflight is null)
            {
                return;
            }

            Inflight.Dispose();
            foreach (FdHandle fd in Backing)
            {
                fd.Dispose();
            }
        }
    }
}
