using System.Runtime.InteropServices;
using Sandbox.Boot;
using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;
using Sandbox.Vmm;
using Sandbox.Vmm.Bus;
using Sandbox.Vmm.Legacy;

namespace Sandbox.Fuzz.Targets;

/// <summary>The VMM's I/O ports, as a vCPU's exits reach them: what is written to the console comes out or is said to be lost, byte by byte.</summary>
internal sealed class PortsFuzzer : IFuzzer, IDisposable
{
    private const int SetPipeSize = 1031; // F_SETPIPE_SZ
    private const int LeastPipeBytes = 4096;

    private static readonly ushort[] Interesting =
    [
        GuestLayout.SerialPort, GuestLayout.SerialPort, GuestLayout.SerialPort, GuestLayout.SerialPort + 3, GuestLayout.SerialPort + 4, GuestLayout.SerialPort + 7,
        KeyboardController.FirstPort, KeyboardController.FirstPort + 4, RealTimeClock.FirstPort, SleepRegisters.FirstPort, SleepRegisters.FirstPort + 1, 0xFFFF, 0xFFFE, 0,
    ];

    private readonly FdHandle _reader;
    private readonly FdHandle _writer;
    private readonly FdHandle _interrupt = EventFd.Create();
    private readonly byte[] _read = new byte[LeastPipeBytes];

    public PortsFuzzer()
    {
        (_reader, _writer) = Pipe.Create();
        _ = FdIo.SetNonBlocking(_reader.Number, on: true);
        _ = FdIo.SetNonBlocking(_writer.Number, on: true);
        if (fcntl(_writer.Number, SetPipeSize, LeastPipeBytes) < 0)
        {
            throw new InvalidOperationException("the pipe keeps its size: a console that nobody reads would not be tried");
        }
    }

    public string Name => "ports";

    public string Subject => "the VMM's I/O ports: serial console, reset, sleep, clock, and none";

    public int MaxInputBytes => 256;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        using EndLatch end = new();
        PortBus ports = new();
        ports.Add(GuestLayout.SerialPort, SerialPort.PortCount, new SerialPort(new ConsoleOutput(_writer.Number), _interrupt.Number));
        ports.Add(KeyboardController.FirstPort, KeyboardController.PortCount, new KeyboardController(end));
        ports.Add(RealTimeClock.FirstPort, RealTimeClock.PortCount, new RealTimeClock());
        ports.Add(SleepRegisters.FirstPort, SleepRegisters.PortCount, new SleepRegisters(end));
        while (FdIo.Read(_reader.Number, _read) > 0)
        {
            // what a run that was broken off has left
        }

        PortsModel model = new();
        Span<byte> data = stackalloc byte[4];
        while (!input.IsEmpty)
        {
            ushort port = input.OneIn(4) ? input.U16() : (ushort)(input.Pick<ushort>(Interesting) - (input.OneIn(6) ? input.Below(4) : 0) & 0xFFFF);
            Span<byte> access = data[..(1 << input.Below(3))];
            input.Bytes(access.Length).CopyTo(access);
            int times = input.OneIn(40) ? input.U16() & 0x1FFF : 1;
            switch (input.Below(4))
            {
                case 0:
                    long before = Allocation.Now;
                    ports.Read(port, access);
                    Allocation.Require(before, 0, "a read of a port");
                    model.JudgeRead(port, access);
                    Reached.Note(1, access[0] is 0 or 0xFF ? access[0] & 1 : 2);
                    break;
                case 1 when input.OneIn(2):
                    ReadConsole(model);
                    break;
                default:
                    for (; times > 0; times--)
                    {
                        model.Write(port, access);
                        before = Allocation.Now;
                        ports.Write(port, access);
                        Allocation.Require(before, 0, "a write to a port");
                    }

                    break;
            }
        }

        // What is lost is told with the next byte that there is room for.
        ReadConsole(model);
        for (int port = 1; port < SerialPort.PortCount; port++)
        {
            ports.Write((ushort)(GuestLayout.SerialPort + port), [0]);
        }

        Span<byte> last = [0];
        model.Settle();
        model.Write(GuestLayout.SerialPort, last);
        ports.Write(GuestLayout.SerialPort, last);
        ReadConsole(model);
        Reached.Note(2, System.Numerics.BitOperations.Log2(model.LostBytes + 1));
        Reached.Note(3, end.IsSet ? (int)end.Ended.Reason : 0);
        model.JudgeEnd(end.IsSet ? end.Ended.Reason : null);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
        _interrupt.Dispose();
    }

    private void ReadConsole(PortsModel model)
    {
        nint count;
        while ((count = FdIo.Read(_reader.Number, _read)) > 0)
        {
            model.Came(_read.AsSpan(0, (int)count));
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int fcntl(int fd, int command, int argument);
}
