using System.Buffers.Text;
using Sandbox.Boot;
using Sandbox.Control.Launch;
using Sandbox.Vmm.Legacy;

namespace Sandbox.Fuzz.Targets;

/// <summary>
/// A second reading of the ports. What goes to the console is numbered, with the highest bit set in each byte, so that a note about lost bytes can be
/// told from them, and what comes out from what should.
/// </summary>
internal sealed class PortsModel
{
    private const int Period = 113;
    private const byte Divisor = 0x80;
    private const byte Loopback = 0x10;

    private static readonly byte[] NoteStart = "\n["u8.ToArray();
    private static readonly byte[] NoteEnd = " bytes of console lost]\n"u8.ToArray();

    private readonly List<byte> _note = [];
    private byte _line = 3;
    private byte _modem;
    private byte _scratch;
    private ulong _sent;
    private ulong _accounted;
    private EndReason? _end;

    /// <summary>Bytes that are said to be lost.</summary>
    public ulong LostBytes { get; private set; }

    /// <summary>A write of the guest's; a byte for the console gets its number.</summary>
    public void Write(ushort port, Span<byte> data)
    {
        for (int index = 0; index < data.Length; index++)
        {
            switch (port + index)
            {
                case GuestLayout.SerialPort:
                    data[index] = Numbered(_sent);
                    _sent += (_line & Divisor) == 0 && (_modem & Loopback) == 0 ? 1u : 0;
                    break;
                case GuestLayout.SerialPort + 3:
                    _line = data[index];
                    break;
                case GuestLayout.SerialPort + 4:
                    _modem = data[index];
                    break;
                case GuestLayout.SerialPort + 7:
                    _scratch = data[index];
                    break;
                case KeyboardController.FirstPort + 4 when data[index] == 0xFE:
                    _end ??= EndReason.GuestReset;
                    break;
                case SleepRegisters.FirstPort when (data[index] & 0x20) != 0:
                    _end ??= EndReason.GuestShutdown;
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>The serial port's registers are all zero from here on.</summary>
    public void Settle() => (_line, _modem, _scratch) = (0, 0, 0);

    public void JudgeRead(ushort port, ReadOnlySpan<byte> data)
    {
        for (int index = 0; index < data.Length; index++)
        {
            int here = port + index;
            bool there = here is >= GuestLayout.SerialPort and < GuestLayout.SerialPort + SerialPort.PortCount
                or >= KeyboardController.FirstPort and < KeyboardController.FirstPort + KeyboardController.PortCount
                or >= RealTimeClock.FirstPort and < RealTimeClock.FirstPort + RealTimeClock.PortCount
                or >= SleepRegisters.FirstPort and < SleepRegisters.FirstPort + SleepRegisters.PortCount;
            byte? right = here == GuestLayout.SerialPort + 3 ? _line : here == GuestLayout.SerialPort + 7 ? _scratch : there ? null : (byte)0xFF;
            if (right is { } value && value != data[index])
            {
                throw new FindingException($"ports: 0x{here:x} reads 0x{data[index]:x}, 0x{value:x} is right");
            }
        }
    }

    /// <summary>Bytes that the launcher reads of the console.</summary>
    public void Came(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if ((value & 0x80) == 0)
            {
                TakeNote(value);
            }
            else if (_note.Count != 0 || _accounted >= _sent || value != Numbered(_accounted))
            {
                throw new FindingException($"ports: byte {_accounted} of the console came out as 0x{value:x}");
            }
            else
            {
                _accounted++;
            }
        }
    }

    public void JudgeEnd(EndReason? reason)
    {
        if (_accounted != _sent)
        {
            throw new FindingException($"ports: {_sent} bytes went to the console, {_accounted} came out or were said to be lost");
        }

        if (reason != _end)
        {
            throw new FindingException($"ports: the machine ended by {reason}, {_end} is right");
        }
    }

    private void TakeNote(byte value)
    {
        _note.Add(value);
        ReadOnlySpan<byte> note = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_note);
        if (!note.EndsWith(NoteEnd))
        {
            return;
        }

        if (!note.StartsWith(NoteStart) || !Utf8Parser.TryParse(note[NoteStart.Length..], out ulong lost, out int digits) || note.Length != NoteStart.Length + digits + NoteEnd.Length || lost == 0)
        {
            throw new FindingException("ports: the console's note about lost bytes is none");
        }

        _accounted += lost;
        LostBytes += lost;
        _note.Clear();
    }

    private static byte Numbered(ulong place) => (byte)(0x80 | (place % Period));
}
