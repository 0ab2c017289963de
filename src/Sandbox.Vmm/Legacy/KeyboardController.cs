using Sandbox.Control.Launch;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.Legacy;

/// <summary>
/// The reset line of an i8042 and nothing else of it. Its status says for ever "output full, input empty": a driver that looks
/// for a keyboard finds the output buffer full after its last try and gives up within a millisecond, and a kernel that waits for
/// the input buffer before it asks for a reset does not wait.
/// </summary>
internal sealed class KeyboardController(EndLatch end) : IPortDevice
{
    public const ushort FirstPort = 0x60;
    public const ushort PortCount = 5;

    private const ushort CommandAndStatus = 4;
    private const byte PulseResetLine = 0xFE;
    private const byte OutputFull = 0x01;

    public byte Read(ushort offset) => offset switch
    {
        0 => 0,
        CommandAndStatus => OutputFull,
        _ => 0xFF, // 0x61 to 0x63: the timer's gate and speaker are not there
    };

    public void Write(ushort offset, byte value)
    {
        if (offset == CommandAndStatus && value == PulseResetLine)
        {
            end.Set(EndReason.GuestReset);
        }
    }
}
