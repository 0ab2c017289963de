using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Device.Balloon;
using Sandbox.Device.Block;
using Sandbox.Device.Net;
using Sandbox.Device.Rng;
using Sandbox.Device.Vsock;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>
/// One device of one sandbox: a vhost-user backend on inherited file descriptors. It opens nothing, connects to nothing and
/// starts nothing; the guest's memory and eventfds come to it through its vhost-user socket.
/// </summary>
internal static class Program
{
    // All that a device process ever allocates: the launch spec, the device with its buffers (vsock: 256 KiB for each of up to 80 connections; a disk with
    // threads: 0.6 MiB), a line of text. Serving allocates nothing.
    private const long HeapBytes = 24 * 1024 * 1024;

    private static int Main(string[] arguments)
    {
        OwnProcess.Begin("sandbox-device");
        ControlSocket control = new(InheritedFds.Control);
        Ended end = Serve(control, arguments);
        control.SendEnded(end);
        OwnProcess.End((int)end.Reason);
        return (int)end.Reason;
    }

    private static Ended Serve(ControlSocket control, string[] arguments)
    {
        try
        {
            QuietRuntime.Begin(HeapBytes);
            // A disk's threads. Now: what makes a thread is in no filter, and nobody has been heard.
            BlockWorkers? workers = arguments is [DeviceArguments.MediumWaits] ? new BlockWorkers(BlockWorkers.DefaultCount) : null;
            LinuxException.Check(SeccompFilter.PromiseNoNewPrivileges(), "prctl PR_SET_NO_NEW_PRIVS");
            // seccomp/device-start.policy: from here on nothing is opened, connected, started or executed.
            LinuxException.Check(SeccompFilter.Install(DeviceFilters.Start), "seccomp start filter");
            LaunchFault fault = control.ReceiveSpec(out DeviceLaunchSpec? spec);
            if (spec is null)
            {
                return new Ended(EndReason.SpecRejected, (ulong)fault, "the device's launch spec was refused");
            }

            using Epoll epoll = new();
            VirtioDevice device = Create(spec, new BackingWatch(epoll), workers, control);
            DeviceLoop loop = new(epoll, device, control, InheritedFds.DeviceVhostUser, new BackendInflight(InheritedFds.DeviceInflight));
            // The clock is read before the filter: on a host where that takes a system call, none of them grants it.
            Ready ready = new(MonotonicClock.Nanoseconds);
            // From here on it can only serve. No byte of the peer or of the guest has been seen yet.
            InstallFilter(spec.Kind);
            control.SendReady(ready);
            return loop.Run();
        }
        catch (LinuxException failure)
        {
            return new Ended(EndReason.HostFailure, (ulong)failure.Errno, failure.Operation);
        }
    }

    // seccomp/device-*.policy: what a device of this kind still may; anything else kills the process.
    private static void InstallFilter(DeviceKind kind) => LinuxException.Check(
        SeccompFilter.Install(kind switch
        {
            DeviceKind.Block => DeviceFilters.Block,
            DeviceKind.Entropy => DeviceFilters.Entropy,
            DeviceKind.Balloon => DeviceFilters.Balloon,
            DeviceKind.Vsock => DeviceFilters.Vsock,
            DeviceKind.Network => DeviceFilters.Network,
            _ => throw new InvalidOperationException("the decoder let an unknown kind pass"),
        }),
        "seccomp filter");

    private static VirtioDevice Create(DeviceLaunchSpec spec, BackingWatch watch, BlockWorkers? workers, ControlSocket control) => spec.Kind switch
    {
        DeviceKind.Block => BlockDevice.Create(spec, InheritedFds.DeviceFirstBacking, watch, workers),
        DeviceKind.Entropy => EntropyDevice.Create(),
        DeviceKind.Balloon => new BalloonDevice(),
        DeviceKind.Vsock => VsockDevice.Create(spec, InheritedFds.DeviceFirstBacking, watch, control),
        DeviceKind.Network => NetDevice.Create(spec, InheritedFds.DeviceFirstBacking, watch, InheritedFds.DeviceInflight),
        _ => throw new InvalidOperationException("the decoder let an unknown kind pass"),
    };
}
