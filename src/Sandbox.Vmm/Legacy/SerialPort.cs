using Sandbox.Linux;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.Legacy;

/// <summary>
/// A 16550A that transmits at once and never receives (National Semiconductor PC16550D). Linux uses it as its first console and
/// as a terminal; both want an honest "transmitter empty" interrupt.
/// </summary>
internal sealed class SerialPort(ConsoleOutput output, int interruptEventFd) : IPortDevice
{
    public const ushort PortCount = 8;

    private const byte DivisorLatch = 0x80; // of the line control register
    private const byte Loopback = 0x10; // of the modem control register
    private const byte TransmitterInterrupt = 0x02; // of the interrupt enable register
    private const byte NoInterrupt = 0x01; // of the identification register
    private const byte TransmitterEmpty = 0x02;
    private const byte FifoEnabled = 0xC0;
    private const byte LineIdle = 0x60; // line status: holding register and shift register empty
    private const byte ModemReady = 0xB0; // modem status: carrier, data set ready, clear to send

    private byte _divisorLow = 1;
    private byte _divisorHigh;
    private byte _interruptEnable;
    private byte _fifoControl;
    private byte _lineControl = 0x03;
    private byte _modemControl;
    private byte _scratch;
    private bool _transmitterPending;
    private bool _lineRaised;

    public byte Read(ushort offset) => offset switch
    {
        0 => IsDivisor ? _divisorLow : (byte)0,
        1 => IsDivisor ? _divisorHigh : _interruptEnable,
        2 => ReadIdentification(),
        3 => _lineControl,
        4 => _modemControl,
        5 => LineIdle,
        6 => ReadModemStatus(),
        7 => _scratch,
        _ => 0xFF,
    };

    public void Write(ushort offset, byte value)
    {
        switch (offset)
        {
            case 0 when IsDivisor:
                _divisorLow = value;
                break;
            case 0:
                Transmit(value);
                break;
            case 1 when IsDivisor:
                _divisorHigh = value;
                break;
            case 1:
                EnableInterrupts((byte)(value & 0x0F));
                break;
            case 2:
                _fifoControl = value;
                break;
            case 3:
                _lineControl = value;
                break;
            case 4:
                _modemControl = (byte)(value & 0x1F);
                break;
            case 7:
                _scratch = value;
                break;
            default:
                break; // line and modem status are read-only
        }
    }

    private bool IsDivisor => (_lineControl & DivisorLatch) != 0;

    private void Transmit(byte value)
    {
        // In loopback the byte would come back to a receiver that has none.
        if ((_modemControl & Loopback) == 0)
        {
            output.Write(value);
        }

        _transmitterPending = true;
        UpdateLine();
    }

    private void EnableInterrupts(byte enable)
    {
        // Enabling the transmitter's interrupt while it is empty raises it: that is how a driver starts to send.
        _transmitterPending |= (enable & ~_interruptEnable & TransmitterInterrupt) != 0;
        _interruptEnable = enable;
        UpdateLine();
    }

    private byte ReadIdentification()
    {
        byte fifo = (_fifoControl & 1) != 0 ? FifoEnabled : (byte)0;
        if (!_lineRaised)
        {
            return (byte)(fifo | NoInterrupt);
        }

        _transmitterPending = false; // reading the cause takes it away
        UpdateLine();
        return (byte)(fifo | TransmitterEmpty);
    }

    /// <summary>In loopback the four outputs come back as the four inputs: a driver's probe looks for that.</summary>
    private byte ReadModemStatus()
    {
        if ((_modemControl & Loopback) == 0)
        {
            return ModemReady;
        }

        int control = _modemControl;
        return (byte)(((control & 0x02) << 3) | ((control & 0x01) << 5) | ((control & 0x0C) << 4));
    }

    /// <summary>The line is an edge on the interrupt controller: signalled when it rises.</summary>
    private void UpdateLine()
    {
        bool raised = _transmitterPending && (_interruptEnable & TransmitterInterrupt) != 0;
        if (raised && !_lineRaised)
        {
            _ = EventFd.Signal(interruptEventFd);
        }

        _lineRaised = raised;
    }
}
