using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.Legacy;

/// <summary>
/// A CMOS clock with every register zero. The guest has its time from kvmclock; a kernel that asks here all the same must not
/// wait for an "update in progress" bit that reads as one for ever.
/// </summary>
internal sealed class RealTimeClock : IPortDevice
{
    public const ushort FirstPort = 0x70;
    public const ushort PortCount = 2;

    public byte Read(ushort offset) => 0;

    public void Write(ushort offset, byte value)
    {
        // An index, or a register that keeps nothing.
    }
}
