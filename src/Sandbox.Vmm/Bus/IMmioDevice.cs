namespace Sandbox.Vmm.Bus;

/// <summary>
/// A block of memory-mapped registers. The bus calls it on whatever vCPU thread made the access, one call at a time for each
/// device. Offset and width come from the guest: 1, 2, 4 or 8 bytes, inside the device's range, otherwise unchecked.
/// A call must not allocate, throw or block.
/// </summary>
public interface IMmioDevice
{
    /// <summary>Fills <paramref name="data"/>; the bus has set it to all ones, which is what a register that is not there reads.</summary>
    /// <param name="offset">Bytes from the start of the device's range.</param>
    /// <param name="data">1 to 8 bytes, little-endian.</param>
    void Read(uint offset, Span<byte> data);

    /// <summary>Takes a write; one to a register that is not there is ignored.</summary>
    /// <param name="offset">Bytes from the start of the device's range.</param>
    /// <param name="data">1 to 8 bytes, little-endian.</param>
    void Write(uint offset, ReadOnlySpan<byte> data);
}
