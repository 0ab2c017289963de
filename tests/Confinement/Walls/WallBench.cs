using Sandbox.Control;
using Sandbox.Control.Jail;
using Sandbox.Control.Proof;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Linux.Baits;
using Sandbox.Proof;

namespace Sandbox.Confinement.Tests.Walls;

/// <summary>Attempts acts behind chosen walls: the probe in the test jail, and around it everything that it could misuse if nothing stood in its way.</summary>
internal sealed class WallBench : IDisposable
{
    private const uint User = 3_000_040;
    private const int WallsNumber = 249;
    private const int BackingNumber = 20;
    private const int GuestMemoryNumber = 21;
    private const long BackingBytes = 64 * 1024;
    private const int ReadWriteUnnamed = 0x410002; // O_TMPFILE | O_RDWR
    private const int KvmNumber = 110;

    private readonly FdHandle _jail = FileOpen.Read(Path.Combine(Repository.Root, "artifacts", "tests-bin", "sandbox-testjail"));
    private readonly FdHandle _probe = FileOpen.Read(Repository.Exe("sandbox-probe"));
    private readonly FdHandle _nothing = FileOpen.ReadWrite("/dev/null");
    private readonly FdHandle _guestMemory = MemFd.Create("guest-memory");
    private readonly FdHandle? _kvm = File.Exists("/dev/kvm") ? FileOpen.ReadWrite("/dev/kvm") : null;
    private readonly LeakedFds _leaked = new();
    private readonly string _socketPath = Path.Combine(Path.GetTempPath(), $"sandbox-walls-{Environment.ProcessId}");
    private readonly FdHandle _pathListener;
    private readonly FdHandle _nameListener;
    private readonly FdHandle _portListener;
    private readonly ushort _port;
    private readonly int _sharedMemory = BaitMemory.Create();
    private readonly ChildProcess _victim;
    private readonly SemaphoreSlim _oneTracer = new(1);

    internal WallBench()
    {
        _pathListener = BaitSocket.ListenAt(_socketPath, isAbstract: false);
        // Who may connect is not what is judged here.
        new Mono.Unix.UnixFileInfo(_socketPath).FileAccessPermissions = Mono.Unix.FileAccessPermissions.AllPermissions;
        _nameListener = BaitSocket.ListenAt(_socketPath, isAbstract: true);
        _portListener = BaitSocket.ListenOnLoopback(out _port);
        Assert.Equal(0, FdIo.WriteAll(_guestMemory.Number, new byte[BackingBytes]));
        using FdHandle sleep = FileOpen.Read("/bin/sleep");
        _victim = Spawner.Spawn(new SpawnSpec { Executable = sleep, Arguments = ["sleep", "3600"], Fds = [new(0, _nothing)] });
    }

    internal async Task<ActOutcome> AttemptAsync(ForbiddenAct act, ConfinementWall walls)
    {
        if (act != ForbiddenAct.TraceOther)
        {
            return await StartAsync(act, walls);
        }

        // A process has one tracer at most.
        await _oneTracer.WaitAsync();
        try
        {
            return await StartAsync(act, walls);
        }
        finally
        {
            _oneTracer.Release();
        }
    }

    private async Task<ActOutcome> StartAsync(ForbiddenAct act, ConfinementWall walls)
    {
        using FdHandle backing = FileOpen.Open(Path.GetTempPath(), ReadWriteUnnamed, 0x180);
        using FdHandle wallsFile = MemFd.Create("walls");
        Assert.Equal(0, FdIo.WriteAll(backing.Number, new byte[BackingBytes]));
        Assert.Equal(0, FdIo.WriteAll(wallsFile.Number, BitConverter.GetBytes((int)walls)));
        (FdHandle control, FdHandle childControl) = UnixSocket.CreatePair();
        (FdHandle errors, FdHandle childErrors) = Pipe.Create();
        using (control)
        using (errors)
        using (childControl)
        using (childErrors)
        {
            InheritedFd[] granted = [new(0, _nothing), new(1, _nothing), new(2, childErrors), new(InheritedFds.Control, childControl), new(BackingNumber, backing), new(GuestMemoryNumber, _guestMemory)];
            List<InheritedFd> table = [.. granted, .. _leaked.Table, new(WallsNumber, wallsFile)];
            if (_kvm is not null)
            {
                table.Add(new(KvmNumber, _kvm));
            }

            Assert.Equal(0, FdIo.WriteAll(control.Number, Order(act, walls).Encode()));
            using ChildProcess probe = await JailedSpawner.StartAsync(_jail, _probe, table, Spec(granted, walls));
            ExitStatus status = probe.Wait();
            childControl.Dispose();
            childErrors.Dispose();
            byte[] said = new byte[1];
            ActOutcome outcome = ActOutcome.Of(FdIo.Read(control.Number, said) == 1 ? said[0] : null, status);
            return outcome.Refusal == ActRefusal.NotAttempted ? outcome with { How = $"{outcome.How}: {FirstLine(errors)}" } : outcome;
        }
    }

    private ProbeOrder Order(ForbiddenAct act, ConfinementWall walls) => new()
    {
        Act = act,
        // Of all kinds the one whose filter allows most.
        Process = walls.HasFlag(ConfinementWall.Filter) ? ProbedProcess.BlockDevice : ProbedProcess.None,
        Filtered = walls.HasFlag(ConfinementWall.Filter),
        OtherPid = _victim.Pid,
        NeighbourPid = _victim.Pid,
        LauncherPid = Environment.ProcessId,
        Address = ReadableAddress(_victim.Pid),
        SharedMemoryId = _sharedMemory,
        Port = _port,
        BackingFd = BackingNumber,
        BackingBytes = BackingBytes,
        GuestMemoryFd = GuestMemoryNumber,
        SocketPath = _socketPath,
    };

    private static JailSpec Spec(InheritedFd[] granted, ConfinementWall walls)
    {
        uint? user = walls.HasFlag(ConfinementWall.Identity) ? User : null;
        return new JailSpec
        {
            UserId = user,
            GroupId = user,
            UserNamespace = walls.HasFlag(ConfinementWall.UserNamespace),
            Fds = [.. granted.Select(static fd => fd.ChildNumber)],
            Arguments = ["sandbox-probe"],
            MaxProcesses = 16,
            MaxFileBytes = (ulong)BackingBytes,
            MaxAddressSpaceBytes = 1UL << 40,
        };
    }

    private static ulong ReadableAddress(int pid) =>
        ulong.Parse(File.ReadLines($"/proc/{pid}/maps").First(static line => line.Contains(" rw-p ", StringComparison.Ordinal)).Split('-')[0], System.Globalization.NumberStyles.HexNumber);

    private static string FirstLine(FdHandle errors)
    {
        Span<byte> text = stackalloc byte[256];
        int count = FdIo.Read(errors.Number, text);
        return count > 0 ? System.Text.Encoding.ASCII.GetString(text[..count]).Trim() : "it said nothing";
    }

    public void Dispose()
    {
        _ = _victim.Kill(9);
        _ = _victim.Wait();
        _victim.Dispose();
        File.Delete(_socketPath);
        _oneTracer.Dispose();
        _kvm?.Dispose();
        _leaked.Dispose();
        _pathListener.Dispose();
        _nameListener.Dispose();
        _portListener.Dispose();
        _guestMemory.Dispose();
        _nothing.Dispose();
        _probe.Dispose();
        _jail.Dispose();
    }
}
