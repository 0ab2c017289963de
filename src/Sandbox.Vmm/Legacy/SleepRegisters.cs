using Sandbox.Control.Launch;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.Legacy;

/// <summary>The sleep control and status registers of a hardware-reduced ACPI machine (ACPI 6.4, 4.8.3.7). The only sleep state is S5: power off.</summary>
internal sealed class SleepRegisters(EndLatch end) : IPortDevice
{
    public const ushort FirstPort = 0x600;
    public const ushort PortCount = 2;

    private const byte SleepEnable = 1 << 5;

    /// <summary>The control register is write-only, and nothing has ever woken this machine.</summary>
    public byte Read(ushort offset) => 0;

    public void Write(ushort offset, byte value)
    {
        if (offset == 0 && (value & SleepEnable) != 0)
        {
            end.Set(EndReason.GuestShutdown);
        }
    }
}
