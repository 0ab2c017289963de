using Sandbox.Linux;

namespace Sandbox.Bench.Machines;

/// <summary>
/// QEMU's microvm machine on the same /dev/kvm, with nothing in it that can be left out. Its guest is 64 KiB of firmware whose first
/// instructions write 'h' to the serial port: what the guest beside it does, but QEMU is spared the loading of a kernel.
/// </summary>
internal sealed class QemuVm : IDisposable
{
    private const int Kill = 9;
    private const string Emulator = "/usr/bin/qemu-system-x86_64";

    private readonly ChildProcess _process;
    private readonly FdHandle _console;

    private QemuVm(ChildProcess process, FdHandle console, long started) => (_process, _console, StartedNanoseconds) = (process, console, started);

    /// <summary>The clock when nothing had been done yet.</summary>
    public long StartedNanoseconds { get; }

    public int ProcessId => _process.Pid;

    public static bool IsInstalled => File.Exists(Emulator);

    /// <summary>The version, for the report.</summary>
    public static string Version => Place.Run(Emulator, "--version").Split('\n')[0];

    public static QemuVm Start()
    {
        string firmware = Firmware();
        long started = MonotonicClock.Nanoseconds;
        using FdHandle exe = FileOpen.Read(Emulator);
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle console, FdHandle writer) = Pipe.Create();
        using (writer)
        {
            ChildProcess process = Spawner.Spawn(new SpawnSpec
            {
                Executable = exe,
                Arguments =
                [
                    Emulator, "-M", "microvm,accel=kvm,pit=off,pic=off,rtc=off", "-m", "8", "-smp", "1", "-no-user-config", "-nodefaults",
                    "-display", "none", "-no-reboot", "-bios", firmware, "-serial", "stdio",
                ],
                Environment = ["PATH=/usr/bin:/bin"],
                Fds = [new(0, nothing), new(1, writer), new(2, nothing)],
            });
            return new QemuVm(process, console, started);
        }
    }

    /// <summary>When the guest said it.</summary>
    public long WaitFor(char mark) => ConsoleClock.WaitFor(_console, mark);

    public void Dispose()
    {
        _ = _process.Kill(Kill);
        _ = _process.Wait();
        _process.Dispose();
        _console.Dispose();
    }

    // Real mode. At the reset vector, 16 bytes before the end: mov dx,0x3f8; mov al,'h'; out dx,al; hlt; jmp back to the hlt.
    private static string Firmware()
    {
        string path = Path.Combine(Place.Output, "halt.bin");
        byte[] image = new byte[64 * 1024];
        ReadOnlySpan<byte> code = [0xBA, 0xF8, 0x03, 0xB0, (byte)'h', 0xEE, 0xF4, 0xEB, 0xFD];
        code.CopyTo(image.AsSpan(image.Length - 16));
        File.WriteAllBytes(path, image);
        return path;
    }
}
