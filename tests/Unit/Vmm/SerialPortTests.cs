using Sandbox.Linux;
using Sandbox.Vmm.Legacy;

namespace Sandbox.Unit.Tests.Vmm;

/// <summary>The 16550A as a driver sees it, and the pipe behind it.</summary>
public sealed class SerialPortTests : IDisposable
{
    private readonly FdHandle _reader;
    private readonly FdHandle _writer;
    private readonly FdHandle _interrupt = EventFd.Create();
    private readonly SerialPort _port;

    public SerialPortTests()
    {
        (_reader, _writer) = Pipe.Create();
        Assert.Equal(0, FdIo.SetNonBlocking(_writer.Number, on: true));
        Assert.Equal(0, FdIo.SetNonBlocking(_reader.Number, on: true));
        _port = new SerialPort(new ConsoleOutput(_writer.Number), _interrupt.Number);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
        _interrupt.Dispose();
    }

    [Fact]
    public void Transmit_Byte_GoesToThePipe()
    {
        _port.Write(0, (byte)'A');

        Assert.Equal("A", Drain());
    }

    [Fact]
    public void Transmit_InLoopback_DoesNot()
    {
        _port.Write(4, 0x10);
        _port.Write(0, (byte)'A');

        Assert.Equal("", Drain());
    }

    [Fact]
    public void DivisorLatch_Open_HidesDataAndInterruptEnable()
    {
        _port.Write(3, 0x83);
        _port.Write(0, 0x0C);
        _port.Write(1, 0x02);
        Assert.Equal((0x0C, 0x02), (_port.Read(0), _port.Read(1)));

        _port.Write(3, 0x03);
        Assert.Equal((0, 0), (_port.Read(0), _port.Read(1)));
        Assert.Equal("", Drain());
    }

    [Fact]
    public void ModemStatus_InLoopback_ShowsTheOutputsAsInputs()
    {
        _port.Write(4, 0x1A); // what Linux's probe writes: loopback, OUT2, RTS
        Assert.Equal(0x90, _port.Read(6) & 0xF0);
    }

    [Fact]
    public void Identification_FifoEnabled_SaysSixteen550A()
    {
        _port.Write(2, 0x01);

        Assert.Equal(0xC1, _port.Read(2));
    }

    [Fact]
    public void Interrupt_Enabled_RisesOncePerCauseTaken()
    {
        Assert.False(EventFd.TryConsume(_interrupt.Number));
        _port.Write(1, 0x02);
        Assert.True(EventFd.TryConsume(_interrupt.Number));

        _port.Write(0, (byte)'A'); // the line is up already: no second edge
        Assert.False(EventFd.TryConsume(_interrupt.Number));

        Assert.Equal(0x02, _port.Read(2));
        Assert.Equal(0x01, _port.Read(2));
        _port.Write(0, (byte)'B');
        Assert.True(EventFd.TryConsume(_interrupt.Number));
    }

    [Fact]
    public void Console_FullPipe_LosesBytesAndSaysHowManyWhenThereIsRoom()
    {
        for (int index = 0; index < 65536 + 1234; index++)
        {
            _port.Write(0, (byte)'x');
        }

        Assert.Equal(65536, Drain().Length);
        _port.Write(0, (byte)'y');
        Assert.Equal("\n[1234 bytes of console lost]\ny", Drain());
    }

    private string Drain()
    {
        byte[] buffer = new byte[1 << 17];
        int total = 0;
        int count;
        while ((count = FdIo.Read(_reader.Number, buffer.AsSpan(total))) > 0)
        {
            total += count;
        }

        return System.Text.Encoding.ASCII.GetString(buffer, 0, total);
    }
}
