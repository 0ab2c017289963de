using Sandbox.Memory;

namespace Sandbox.Vmm.Bus;

/// <summary>Guest-physical addresses that are registers. What no device answers reads all ones and ignores writes.</summary>
public sealed class MmioBus
{
    private readonly AddressMap<IMmioDevice> _devices = new();

    /// <summary>Puts a device's registers at [start, start + lengthBytes), before the first vCPU runs.</summary>
    public void Add(GuestAddress start, uint lengthBytes, IMmioDevice device) => _devices.Add(start.Value, lengthBytes, device);

    /// <summary>A guest read of 1 to 8 bytes.</summary>
    public void Read(GuestAddress address, Span<byte> data)
    {
        data.Fill(0xFF);
        IMmioDevice? device = _devices.Find(address.Value, (uint)data.Length, out uint offset);
        if (device is not null)
        {
            lock (device)
            {
                device.Read(offset, data);
            }
        }
    }

    /// <summary>A guest write of 1 to 8 bytes.</summary>
    public void Write(GuestAddress address, ReadOnlySpan<byte> data)
    {
        IMmioDevice? device = _devices.Find(address.Value, (uint)data.Length, out uint offset);
        if (device is not null)
        {
            lock (device)
            {
                device.Write(offset, data);
            }
        }
    }
}
