using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>What the driver has told about one queue. Unchecked: the numbers are judged all together at DRIVER_OK, by whoever has the guest's memory.</summary>
internal struct QueueRegisters
{
    private uint _size;
    private ulong _descriptorTable;
    private ulong _availableRing;
    private ulong _usedRing;

    /// <summary>QueueReady. While it is set, and after DRIVER_OK, nothing else here can be written.</summary>
    public bool Ready { get; set; }

    /// <summary>Writes one of the queue's own registers; true when it is one of them.</summary>
    public bool TryWrite(MmioRegister register, uint value)
    {
        switch (register)
        {
            case MmioRegister.QueueNum:
                _size = value;
                return true;
            case MmioRegister.QueueDescLow:
                SetLow(ref _descriptorTable, value);
                return true;
            case MmioRegister.QueueDescHigh:
                SetHigh(ref _descriptorTable, value);
                return true;
            case MmioRegister.QueueDriverLow:
                SetLow(ref _availableRing, value);
                return true;
            case MmioRegister.QueueDriverHigh:
                SetHigh(ref _availableRing, value);
                return true;
            case MmioRegister.QueueDeviceLow:
                SetLow(ref _usedRing, value);
                return true;
            case MmioRegister.QueueDeviceHigh:
                SetHigh(ref _usedRing, value);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The queue as the driver described it; size 0 when it is not ready.</summary>
    public readonly VirtqueueLayout Layout => Ready
        ? new VirtqueueLayout(_size, new GuestAddress(_descriptorTable), new GuestAddress(_availableRing), new GuestAddress(_usedRing))
        : default;

    private static void SetLow(ref ulong address, uint value) => address = (address & 0xFFFF_FFFF_0000_0000) | value;

    private static void SetHigh(ref ulong address, uint value) => address = (address & 0xFFFF_FFFF) | ((ulong)value << 32);
}
