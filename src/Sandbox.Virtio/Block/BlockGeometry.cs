namespace Sandbox.Virtio.Block;

/// <summary>What a disk lets a request do.</summary>
/// <param name="CapacityBytes">A multiple of <see cref="SectorBytes"/>.</param>
/// <param name="ReadOnly">Refuses everything that changes it.</param>
/// <param name="Features">Negotiated bits: a request that belongs to another is not supported.</param>
public readonly record struct BlockGeometry(ulong CapacityBytes, bool ReadOnly, ulong Features)
{
    /// <summary>"sector" always counts 512 bytes, whatever the block size (virtio 1.2 §5.2.4).</summary>
    public const uint SectorBytes = 512;

    /// <summary>Where a run of sectors begins, in bytes; false unless all of it lies on the disk.</summary>
    public bool TryLocate(ulong sector, ulong lengthBytes, out ulong offsetBytes)
    {
        ulong capacitySectors = CapacityBytes / SectorBytes;
        offsetBytes = 0;
        // Compared in sectors: a sector times 512 may not fit 64 bits. At the very end an empty run is still inside.
        if (sector > capacitySectors || lengthBytes > CapacityBytes || (lengthBytes + SectorBytes - 1) / SectorBytes > capacitySectors - sector)
        {
            return false;
        }

        offsetBytes = sector * SectorBytes;
        return true;
    }
}
