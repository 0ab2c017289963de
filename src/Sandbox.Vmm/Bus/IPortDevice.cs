namespace Sandbox.Vmm.Bus;

/// <summary>
/// A block of byte-wide I/O ports; the bus splits wider accesses. Called on whatever vCPU thread made the access, one call at a
/// time for each device. A call must not allocate, throw or block.
/// </summary>
public interface IPortDevice
{
    /// <summary>What the port reads; 0xFF for one that is not there.</summary>
    /// <param name="offset">Ports from the start of the device's range.</param>
    byte Read(ushort offset);

    /// <summary>Takes a write; one to a port that is not there is ignored.</summary>
    /// <param name="offset">Ports from the start of the device's range.</param>
    /// <param name="value">The byte.</param>
    void Write(ushort offset, byte value);
}
