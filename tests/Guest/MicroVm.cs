using System.Text;
using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Guest.Tests;

/// <summary>
/// A launcher of the shortest kind: starts the real sandbox-vmm (and sandbox-device) with the fds they are born with, and
/// gathers what comes back.
/// </summary>
internal sealed class MicroVm : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FdHandle _control;
    private readonly FdHandle _console;
    private readonly ChildProcess _process;

    private readonly MicroVmOptions _options;
    private readonly FdHandle _inflight;

    private MicroVm(MicroVmOptions options, FdHandle control, FdHandle console, ChildProcess process, DeviceProcess? disk, FdHandle inflight)
    {
        _options = options;
        _inflight = inflight;
        _control = control;
        _console = console;
        _process = process;
        Disk = disk;
    }

    /// <summary>The process behind the disk, if there is one.</summary>
    public DeviceProcess? Disk { get; private set; }

    /// <summary>Starts a machine, and waits for nothing.</summary>
    public static MicroVm Start(MicroVmOptions options)
    {
        string kernelPath = options.Kernel ?? Artifacts.MicroGuest(options.Guest);
        using FdHandle exe = FileOpen.Read(options.Executable ?? Artifacts.Exe("sandbox-vmm"));
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        using FdHandle kvm = FileOpen.ReadWrite(options.KvmDevice);
        using FdHandle memory = MemFd.CreateSealed("guest", options.MemoryBytes);
        using FdHandle kernel = FileOpen.Read(kernelPath);
        using FdHandle initrd = MemFd.Create("initrd");
        LinuxException.Check(FdIo.WriteAll(initrd.Number, options.Initrd), "write initrd");
        (FdHandle control, FdHandle vmmControl) = UnixSocket.CreatePair();
        (FdHandle console, FdHandle vmmConsole) = Pipe.Create();
        FdHandle inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
        DeviceProcess? disk = options.DiskImage is null ? null : DeviceProcess.StartDisk(options.DiskImage, inflight);

        LinuxException.Check(FdIo.SetNonBlocking(vmmConsole.Number, on: true), "fcntl console");
        List<InheritedFd> fds =
        [
            new(0, nothing), new(1, nothing), new(2, nothing), new(InheritedFds.Control, vmmControl), new(InheritedFds.VmmKvm, kvm),
            new(InheritedFds.VmmGuestMemory, memory), new(InheritedFds.VmmKernel, kernel), new(InheritedFds.VmmInitrd, initrd),
            new(InheritedFds.VmmConsole, vmmConsole),
        ];
        if (disk is not null)
        {
            fds.Add(new InheritedFd(InheritedFds.VmmFirstDevice, disk.TakeFrontend()));
        }

        ChildProcess process = ChangedExe.Spawn(new SpawnSpec { Executable = exe, Arguments = ["sandbox-vmm"], Fds = fds });
        vmmControl.Dispose();
        vmmConsole.Dispose();
        fds[^1].Source.Dispose();

        // One that has died already (of a filter that lacks a rule) tells of it by its exit status.
        int written = FdIo.WriteAll(control.Number, options.SpecFrame ?? Encode(options, kernelPath));
        _ = written is -(int)Errno.EPIPE or -(int)Errno.ECONNRESET ? 0 : LinuxException.Check(written, "write launch spec");
        return new MicroVm(options, control, console, process, disk, inflight);
    }

    /// <summary>Starts a machine and waits for its end.</summary>
    public static MicroVmResult Run(MicroVmOptions options)
    {
        using MicroVm vm = Start(options);
        return vm.WaitForEnd();
    }

    /// <summary>Reads one console byte: the guest has got that far.</summary>
    public char ReadConsoleByte()
    {
        Await(_console.Number, "a console byte");
        Span<byte> one = stackalloc byte[1];
        return FdIo.Read(_console.Number, one) == 1 ? (char)one[0] : '\0';
    }

    /// <summary>Kills the disk's process and puts another in its place, as a launcher does. It may be slow to answer.</summary>
    public void ReplaceDisk(int slowMilliseconds = 0)
    {
        Disk!.Dispose();
        Disk = DeviceProcess.StartDisk(_options.DiskImage!, _inflight);
        using FdHandle frontend = Disk.TakeFrontend();
        if (slowMilliseconds == 0)
        {
            SendReplacement(0, frontend.Number);
            return;
        }

        Disk.Stop();
        try
        {
            SendReplacement(0, frontend.Number);
            Thread.Sleep(slowMilliseconds);
        }
        finally
        {
            Disk.Continue();
        }
    }

    /// <summary>The VMM has ended.</summary>
    public bool HasEnded => _process.TryWait(out _);

    /// <summary>Sends the message about a replacement, right or wrong.</summary>
    public void SendReplacement(int place, params ReadOnlySpan<int> fds)
    {
        byte[] frame = new byte[DeviceReplacement.FrameBytes];
        _ = new DeviceReplacement(place).Encode(frame);
        LinuxException.Check(UnixSocket.Send(_control.Number, frame, fds), "send replacement");
    }

    /// <summary>Closes the control socket, as a launcher that dies does.</summary>
    public void CloseControl() => _control.Dispose();

    /// <summary>Closes the reading end of the console.</summary>
    public void CloseConsole() => _console.Dispose();

    /// <summary>How the process ended; the rest of what it sent is lost.</summary>
    public ExitStatus WaitForExit()
    {
        Await(_process.PidFd.Number, "the end of sandbox-vmm");
        return _process.Wait();
    }

    /// <summary>Waits for the process and gathers everything that it sent.</summary>
    public MicroVmResult WaitForEnd()
    {
        Task<byte[]> console = Task.Run(() => Drain(_console));
        Task<byte[]> control = Task.Run(() => Drain(_control));
        if (!Task.WaitAll([console, control], Patience))
        {
            throw new TimeoutException("sandbox-vmm did not end");
        }

        return MicroVmResult.Decode(Encoding.Latin1.GetString(console.Result), control.Result, WaitForExit());
    }

    public void Dispose()
    {
        const int Kill = 9;
        if (!_process.TryWait(out _))
        {
            _ = _process.Kill(Kill);
            _ = _process.Wait();
        }

        _process.Dispose();
        _control.Dispose();
        _console.Dispose();
        Disk?.Dispose();
        _inflight.Dispose();
    }

    private static byte[] Encode(MicroVmOptions options, string kernelPath)
    {
        VmmLaunchSpec spec = new()
        {
            MemoryBytes = options.MemoryBytes,
            CpuCount = options.CpuCount,
            CommandLine = options.CommandLine,
            KernelBytes = new FileInfo(kernelPath).Length,
            InitrdBytes = options.Initrd.Length,
            Devices = options.DiskImage is null ? [] : [new VmmDevice(DeviceKind.Block, 1, options.Replaceable)],
        };
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return frame[..spec.Encode(frame)];
    }

    private static byte[] Drain(FdHandle fd)
    {
        using MemoryStream content = new();
        byte[] buffer = new byte[65536];
        int count;
        while ((count = FdIo.Read(fd.Number, buffer)) > 0)
        {
            content.Write(buffer, 0, count);
        }

        return content.ToArray();
    }

    private static void Await(int fd, string what)
    {
        if (Poll.Wait(fd, PollEvents.Readable, (int)Patience.TotalMilliseconds, out _) <= 0)
        {
            throw new TimeoutException($"waited in vain for {what}");
        }
    }
}
