using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Fuzz.Devices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Remote;

/// <summary>Our own device process (artifacts/bin/sandbox-device), one for each session, as the launcher starts it but without a jail.</summary>
internal sealed class StartedBackend(string executable, DeviceKind kind) : IBackendSource
{
    private const int EndLimitMilliseconds = 10_000;

    private readonly DiskFile _disk = new();
    private readonly FdHandle _records = MemFd.CreateSealed("fuzz-records", LaunchLimits.InflightBytes);
    private ChildProcess? _child;
    private FdHandle? _control;
    private FdHandle? _hostEnd;

    public PeerProcess Peer => new(_child?.Pid ?? 0);

    public bool IsOneProcess => false;

    public FdHandle? Connect()
    {
        (FdHandle control, FdHandle childControl) = UnixSocket.CreatePair();
        (FdHandle frontend, FdHandle childFrontend) = UnixSocket.CreatePair();
        (FdHandle host, FdHandle childHost) = UnixSocket.CreatePair();
        using FdHandle nowhere = FileOpen.ReadWrite("/dev/null");
        using FdHandle exe = FileOpen.Read(executable);
        using FdHandle disk = FdIo.Duplicate(_disk.Fd);
        using (childControl)
        using (childFrontend)
        using (childHost)
        {
            _child = Spawner.Spawn(new SpawnSpec
            {
                Executable = exe,
                Arguments = [executable],
                Environment = [],
                Fds =
                [
                    new InheritedFd(0, nowhere),
                    new InheritedFd(1, nowhere),
                    new InheritedFd(2, nowhere),
                    new InheritedFd(InheritedFds.Control, childControl),
                    new InheritedFd(InheritedFds.DeviceVhostUser, childFrontend),
                    new InheritedFd(InheritedFds.DeviceInflight, _records),
                    new InheritedFd(InheritedFds.DeviceFirstBacking, kind == DeviceKind.Vsock ? childHost : disk),
                ],
            });
        }

        DeviceLaunchSpec spec = kind == DeviceKind.Vsock
            ? new DeviceLaunchSpec { Kind = kind, GuestCid = 3, VsockPorts = [1024] }
            : new DeviceLaunchSpec { Kind = kind, CapacityBytes = kind == DeviceKind.Block ? BlockModel.CapacityBytes : 0 };
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        _ = LinuxException.Check(FdIo.WriteAll(control.Number, frame.AsSpan(0, spec.Encode(frame))), "send the launch spec");
        _control = control;
        _hostEnd = host;
        return frontend;
    }

    /// <summary>It ends when its front end goes. Which of the reasons it gives does not matter, as long as it is one.</summary>
    public string? Finish()
    {
        using ChildProcess child = _child!;
        _ = Poll.Wait(child.PidFd.Number, PollEvents.Readable, EndLimitMilliseconds, out PollEvents ended);
        string? wrong = null;
        if (ended == PollEvents.None)
        {
            _ = child.Kill(9);
            wrong = "hang: it does not end when its front end has gone";
        }

        ExitStatus status = child.Wait();
        _control?.Dispose();
        _hostEnd?.Dispose();
        bool gaveAReason = status.Signal == 0 && (EndReason)status.Code is EndReason.GuestShutdown or EndReason.FrontendFault;
        return wrong ?? (gaveAReason ? null : $"its process ended with {status}");
    }

    public void Dispose()
    {
        _child?.Dispose();
        _control?.Dispose();
        _hostEnd?.Dispose();
        _disk.Dispose();
        _records.Dispose();
    }
}
