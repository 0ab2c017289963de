namespace Sandbox.Vmm.Bus;

/// <summary>The 65536 I/O ports. What no device answers reads all ones and ignores writes: an absent PCI bus looks like that.</summary>
public sealed class PortBus
{
    private readonly AddressMap<IPortDevice> _devices = new();

    /// <summary>Puts a device at ports [start, start + count), before the first vCPU runs.</summary>
    public void Add(ushort start, ushort count, IPortDevice device) => _devices.Add(start, count, device);

    /// <summary>A guest IN of 1, 2 or 4 bytes: a wide access reads neighbouring ports, as on an ISA bus.</summary>
    public void Read(ushort port, Span<byte> data)
    {
        for (int index = 0; index < data.Length; index++)
        {
            data[index] = ReadByte((uint)port + (uint)index);
        }
    }

    /// <summary>A guest OUT of 1, 2 or 4 bytes.</summary>
    public void Write(ushort port, ReadOnlySpan<byte> data)
    {
        for (int index = 0; index < data.Length; index++)
        {
            IPortDevice? device = _devices.Find((uint)port + (uint)index, 1, out uint offset);
            if (device is not null)
            {
                lock (device)
                {
                    device.Write((ushort)offset, data[index]);
                }
            }
        }
    }

    private byte ReadByte(uint port)
    {
        IPortDevice? device = _devices.Find(port, 1, out uint offset);
        if (device is null)
        {
            return 0xFF;
        }

        lock (device)
        {
            return device.Read((ushort)offset);
        }
    }
}
