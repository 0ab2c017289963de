using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Guest.Tests;

/// <summary>A real sandbox-device behind one end of a socket pair.</summary>
internal sealed class DeviceProcess : IDisposable
{
    private readonly FdHandle _control;
    private readonly FdHandle _frontend;
    private readonly ChildProcess _process;

    private DeviceProcess(FdHandle control, FdHandle frontend, ChildProcess process)
    {
        _control = control;
        _frontend = frontend;
        _process = process;
    }

    /// <summary>The frontend's end of the vhost-user socket; whoever takes it closes it.</summary>
    public FdHandle TakeFrontend() => _frontend;

    /// <summary>Serves an image as a virtio-blk device that can be written, with a file for its record of requests in flight.</summary>
    public static DeviceProcess StartDisk(string image, FdHandle inflight)
    {
        using FdHandle exe = FileOpen.Read(Artifacts.Exe("sandbox-device"));
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        using FdHandle file = FileOpen.ReadWrite(image);
        (FdHandle control, FdHandle deviceControl) = UnixSocket.CreatePair();
        (FdHandle frontend, FdHandle backend) = UnixSocket.CreatePair();
        ChildProcess process = Spawner.Spawn(new SpawnSpec
        {
            Executable = exe,
            Arguments = ["sandbox-device", DeviceArguments.MediumWaits],
            Fds =
            [
                new(0, nothing), new(1, nothing), new(2, nothing), new(InheritedFds.Control, deviceControl),
                new(InheritedFds.DeviceVhostUser, backend), new(InheritedFds.DeviceInflight, inflight), new(InheritedFds.DeviceFirstBacking, file),
            ],
        });
        deviceControl.Dispose();
        backend.Dispose();

        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Block, CapacityBytes = new FileInfo(image).Length, SerialId = "sandboxdisk" };
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        LinuxException.Check(FdIo.WriteAll(control.Number, frame.AsSpan(0, spec.Encode(frame))), "write launch spec");
        return new DeviceProcess(control, frontend, process);
    }

    /// <summary>kill -9.</summary>
    public void Kill() => Signal(9);

    /// <summary>SIGSTOP: whoever speaks to it waits.</summary>
    public void Stop() => Signal(19);

    /// <summary>SIGCONT.</summary>
    public void Continue() => Signal(18);

    private void Signal(int signal) => _ = _process.Kill(signal);

    public void Dispose()
    {
        Kill();
        _ = _process.Wait();
        _process.Dispose();
        _control.Dispose();
        _frontend.Dispose();
    }
}
