using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Bench.Machines;

/// <summary>
/// The launcher's own way to start sandbox-vmm, and sandbox-device where a disk is wanted, around a micro guest: same spawner, same
/// jail, no agent. Without a jail it is the same exe and the same fds, spawned bare.
/// </summary>
internal sealed class BenchVm : IDisposable
{
    private const int Kill = 9;

    private const byte Failed = (byte)'x';
    // A look takes a processor away from the guest or its device: seldom, beside what is measured.
    private const double LookMilliseconds = 2;
    private const long MarkAddress = 0x8ff0; // MARK of kernels/micro/blockreads.c
    private const long PatienceNanoseconds = 60_000_000_000;

    private readonly List<(ChildProcess Child, IDisposable Owner)> _processes = [];
    private readonly FdHandle _console;

    private readonly FdHandle _memory;

    private BenchVm(FdHandle console, FdHandle memory) => (_console, _memory) = (console, memory);

    /// <summary>The clock when nothing had been done yet.</summary>
    public long StartedNanoseconds { get; private init; }

    /// <summary>sandbox-vmm first, then the device.</summary>
    public IReadOnlyList<int> ProcessIds => [.. _processes.Select(static process => process.Child.Pid)];

    /// <summary>Starts it and waits for nothing but the processes to run their exes.</summary>
    public static async Task<BenchVm> StartAsync(BenchVmOptions options)
    {
        long started = MonotonicClock.Nanoseconds;
        string kernelPath = Place.MicroGuest(options.Guest);
        using FdHandle vmm = FileOpen.Read(options.Vmm ?? Place.Exe("sandbox-vmm"));
        using FdHandle kvm = FileOpen.ReadWrite("/dev/kvm");
        FdHandle memory = MemFd.CreateSealed("guest", options.MemoryBytes);
        using FdHandle kernel = FileOpen.Read(kernelPath);
        using FdHandle initrd = MemFd.Create("initrd");
        (FdHandle console, FdHandle vmmConsole) = Pipe.Create();
        BenchVm vm = new(console, memory) { StartedNanoseconds = started };
        try
        {
            using ProcessStarter starter = new(Place.Exe("sandbox-jail"), SandboxSecurity.None, static _ => { });
            using (vmmConsole)
            {
                LinuxException.Check(FdIo.SetNonBlocking(vmmConsole.Number, on: true), "fcntl console");
                List<InheritedFd> fds =
                [
                    new(InheritedFds.VmmKvm, kvm), new(InheritedFds.VmmGuestMemory, memory), new(InheritedFds.VmmKernel, kernel),
                    new(InheritedFds.VmmInitrd, initrd), new(InheritedFds.VmmConsole, vmmConsole),
                ];
                VmmLaunchSpec spec = new()
                {
                    MemoryBytes = options.MemoryBytes,
                    CpuCount = 1,
                    CommandLine = options.CommandLine,
                    KernelBytes = new FileInfo(kernelPath).Length,
                    InitrdBytes = 0,
                    Devices = options.DiskImage is null ? [] : [new VmmDevice(DeviceKind.Block, 1)],
                };
                (FdHandle Frontend, FdHandle Backend)? link = options.DiskImage is null ? null : UnixSocket.CreatePair();
                Task device = options.DiskImage is null ? Task.CompletedTask : vm.StartDiskAsync(options, starter, link!.Value.Backend);
                if (link is not null)
                {
                    fds.Add(new(InheritedFds.VmmFirstDevice, link.Value.Frontend));
                }

                await vm.StartProcessAsync(options.Jailed, starter, ["sandbox-vmm"], vmm, fds, Frame(spec.Encode), new ProcessLimits(17, 0, ulong.MaxValue)).ConfigureAwait(false);
                await device.ConfigureAwait(false);
                link?.Frontend.Dispose();
                link?.Backend.Dispose();
            }
        }
        catch
        {
            vm.Dispose();
            throw;
        }

        return vm;
    }

    /// <summary>When the guest said it.</summary>
    public long WaitFor(char mark) => ConsoleClock.WaitFor(_console, mark);

    /// <summary>When the guest had put the mark into its memory; for guests in ring 3, which may use no port.</summary>
    public long WaitForWord(char mark)
    {
        Span<byte> word = stackalloc byte[1];
        for (long begun = MonotonicClock.Nanoseconds; MonotonicClock.Nanoseconds - begun < PatienceNanoseconds;)
        {
            if (FdIo.ReadAt(_memory.Number, word, MarkAddress) == 1 && word[0] == mark)
            {
                return MonotonicClock.Nanoseconds;
            }

            if (word[0] == Failed)
            {
                throw new InvalidOperationException("the guest's requests failed");
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(LookMilliseconds));
        }

        throw new TimeoutException($"the guest never marked '{mark}'");
    }

    /// <summary>Kills and reaps.</summary>
    public void Dispose()
    {
        foreach ((ChildProcess child, IDisposable owner) in _processes)
        {
            _ = child.Kill(Kill);
            _ = child.Wait();
            owner.Dispose();
        }

        _console.Dispose();
        _memory.Dispose();
    }

    private async Task StartDiskAsync(BenchVmOptions options, ProcessStarter starter, FdHandle backend)
    {
        using FdHandle exe = FileOpen.Read(options.Device ?? Place.Exe("sandbox-device"));
        using FdHandle image = FileOpen.ReadWrite(options.DiskImage!);
        long bytes = new FileInfo(options.DiskImage!).Length;
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Block, CapacityBytes = bytes, SerialId = "bench" };
        List<InheritedFd> fds = [new(InheritedFds.DeviceVhostUser, backend), new(InheritedFds.DeviceFirstBacking, image)];
        string[] argv = FileStatus.IsOnMedium(image) ? ["sandbox-device", DeviceArguments.MediumWaits] : ["sandbox-device"]; // as the launcher
        await StartProcessAsync(options.Jailed, starter, argv, exe, fds, Frame(spec.Encode), new ProcessLimits(16, (ulong)bytes, ulong.MaxValue)).ConfigureAwait(false);
    }

    private async Task StartProcessAsync(
        bool jailed, ProcessStarter starter, string[] argv, FdHandle exe, List<InheritedFd> fds, byte[] spec, ProcessLimits limits)
    {
        (ChildProcess, IDisposable) started;
        if (jailed)
        {
            WatchedProcess process = await starter.StartAsync(argv, exe, fds, spec, limits, kind: null).ConfigureAwait(false);
            started = (process.Child, process);
        }
        else
        {
            started = StartBare(argv, exe, fds, spec);
        }

        lock (_processes)
        {
            _processes.Insert(argv[0] == "sandbox-vmm" ? 0 : _processes.Count, started);
        }
    }

    private static (ChildProcess Child, IDisposable Owner) StartBare(string[] argv, FdHandle exe, List<InheritedFd> fds, byte[] spec)
    {
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle control, FdHandle childControl) = UnixSocket.CreatePair();
        using (childControl)
        {
            ChildProcess child = Spawner.Spawn(new SpawnSpec
            {
                Executable = exe,
                Arguments = argv,
                Fds = [new(0, nothing), new(1, nothing), new(2, nothing), new(InheritedFds.Control, childControl), .. fds],
            });
            LinuxException.Check(FdIo.WriteAll(control.Number, spec), "write launch spec");
            return (child, control);
        }
    }

    private delegate int Encoder(Span<byte> frame);

    private static byte[] Frame(Encoder encode)
    {
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return frame[..encode(frame)];
    }
}
