using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Testing;

/// <summary>A real sandbox-device process, born as the launcher makes it but without a jail.</summary>
public sealed class DeviceProcess : IDisposable
{
    private readonly ChildProcess _child;
    private readonly VhostUserFrontend? _frontend;

    private DeviceProcess(ChildProcess child, FdHandle control, VhostUserFrontend? frontend)
    {
        _child = child;
        Control = control;
        _frontend = frontend;
    }

    public FdHandle Control { get; }

    public VhostUserFrontend Frontend => _frontend ?? throw new InvalidOperationException("another program has the frontend's end");

    public int Pid => _child.Pid;

    public bool HasEnded => _child.TryWait(out _);

    /// <summary>The published exe: its seccomp filter leaves no room for the compiler that a test build brings along.</summary>
    public static string ExecutablePath
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                string published = Path.Combine(folder.FullName, "artifacts/bin/sandbox-device");
                if (File.Exists(Path.Combine(folder.FullName, "Sandbox.sln")) && File.Exists(published))
                {
                    return published;
                }
            }

            throw new InvalidOperationException("artifacts/bin/sandbox-device is missing: run `make build`");
        }
    }

    /// <summary>Starts it and sends the spec. Backing fds are borrowed.</summary>
    public static DeviceProcess Start(DeviceLaunchSpec spec, params ReadOnlySpan<FdHandle> backings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return Start(frame.AsSpan(0, spec.Encode(frame)), backings);
    }

    /// <summary>Starts it with a file for its record of requests in flight, borrowed, which may hold what another process left.</summary>
    public static DeviceProcess StartRecorded(DeviceLaunchSpec spec, FdHandle inflight, params ReadOnlySpan<FdHandle> backings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return Start(frame.AsSpan(0, spec.Encode(frame)), inflight, backings);
    }

    /// <summary>Starts another exe, a changed copy of the published one.</summary>
    public static DeviceProcess StartOther(string executable, DeviceLaunchSpec spec, params ReadOnlySpan<FdHandle> backings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return Start(frame.AsSpan(0, spec.Encode(frame)), null, backings, executable);
    }

    /// <summary>Starts it behind a socket whose other end a stranger holds; everything is borrowed.</summary>
    public static DeviceProcess StartServing(DeviceLaunchSpec spec, FdHandle socket, FdHandle inflight, params ReadOnlySpan<FdHandle> backings)
    {
        ArgumentNullException.ThrowIfNull(spec);
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return Start(frame.AsSpan(0, spec.Encode(frame)), inflight, backings, socket: socket);
    }

    /// <summary>Starts it and sends bytes in the place of a spec.</summary>
    public static DeviceProcess Start(ReadOnlySpan<byte> specFrame, params ReadOnlySpan<FdHandle> backings) => Start(specFrame, null, backings);

    private static DeviceProcess Start(ReadOnlySpan<byte> specFrame, FdHandle? inflight, ReadOnlySpan<FdHandle> backings, string? executable = null, FdHandle? socket = null)
    {
        (FdHandle control, FdHandle childControl) = UnixSocket.CreatePair();
        (FdHandle frontend, FdHandle childFrontend) = UnixSocket.CreatePair();
        using FdHandle null0 = FileOpen.ReadWrite("/dev/null");
        using FdHandle exe = FileOpen.Read(executable ?? ExecutablePath);
        using (childControl)
        using (childFrontend)
        {
            List<InheritedFd> fds =
            [
                new InheritedFd(0, null0),
                new InheritedFd(1, null0),
                new InheritedFd(2, null0),
                new InheritedFd(InheritedFds.Control, childControl),
                new InheritedFd(InheritedFds.DeviceVhostUser, socket ?? childFrontend),
            ];
            if (inflight is not null)
            {
                fds.Add(new InheritedFd(InheritedFds.DeviceInflight, inflight));
            }

            for (int index = 0; index < backings.Length; index++)
            {
                fds.Add(new InheritedFd(InheritedFds.DeviceFirstBacking + index, backings[index]));
            }

            ChildProcess child = ChangedExe.Spawn(new SpawnSpec
            {
                Executable = exe,
                // A disk has threads where the launcher would give it some.
                Arguments = backings is [FdHandle disk] && FileStatus.IsOnMedium(disk) ? [ExecutablePath, DeviceArguments.MediumWaits] : [ExecutablePath],
                // Only the build for this test run reads it; the published exe has its runtime inside.
                Environment = [$"DOTNET_ROOT={Path.GetDirectoryName(Environment.ProcessPath)}"],
                Fds = fds,
            });
            LinuxException.Check(FdIo.WriteAll(control.Number, specFrame), "send the spec");
            if (socket is not null)
            {
                frontend.Dispose();
            }

            return new DeviceProcess(child, control, socket is null ? new VhostUserFrontend(frontend) : null);
        }
    }

    /// <summary>The next message of the process, and its content. End of file: an empty one of no type.</summary>
    public LaunchMessageType ReceiveControl(out byte[] content)
    {
        content = [];
        byte[] header = new byte[LaunchFrame.HeaderBytes];
        if (FdIo.ReadFull(Control.Number, header) < header.Length
            || LaunchFrame.ReadHeader(header, out LaunchMessageType type, out int bytes) != LaunchFault.None)
        {
            return 0;
        }

        content = new byte[bytes];
        return FdIo.ReadFull(Control.Number, content) == bytes ? type : 0;
    }

    /// <summary>kill -9, and waits for the end.</summary>
    public void Kill()
    {
        _ = _child.Kill(9);
        _ = _child.Wait();
    }

    public ExitStatus WaitForExit() => _child.Wait();

    public void Dispose()
    {
        _frontend?.Dispose();
        Control.Dispose();
        if (!_child.TryWait(out _))
        {
            _ = _child.Kill(9);
            _ = _child.Wait();
        }

        _child.Dispose();
    }
}
