using System.Buffers.Binary;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>
/// The registers of one virtio-mmio device (virtio 1.2, 4.2) and the states a driver goes through. What is written in the wrong state is
/// ignored; what is written after DRIVER_OK changes nothing but the status (a queue that grows after it was checked is how other monitors
/// were broken).
/// </summary>
/// <remarks>
/// The data path does not pass here: QueueNotify is an ioeventfd, an interrupt an irqfd, both without an exit. So this side cannot know whether
/// an interrupt was for a used buffer, and InterruptStatus says so always: a driver that looks into a ring in vain loses nothing. So a driver
/// that serves an interrupt need not leave the guest at all: it reads InterruptStatus from the page, and KVM drops its acknowledgement.
/// DRIVER_OK and reset wait for the backend, for a bounded time: the guest asked for both and has to wait anyway.
/// </remarks>
public sealed partial class VirtioMmioTransport : IMmioDevice
{
    private const uint Magic = 0x7472_6976; // "virt"
    private const uint RegistersVersion = 2;
    private const uint Vendor = 0x5842_4E53; // "SNBX": any value will do (4.2.2)
    private const uint ConfigChange = 2;

    /// <summary>The bit of InterruptStatus and InterruptACK for used buffers (4.2.2). To write it alone changes nothing here.</summary>
    internal const uint UsedBuffer = 1;

    private readonly IVirtioBackend _backend;
    private readonly GuestSlice _page;
    private readonly QueueRegisters[] _queues;
    private readonly VirtqueueLayout[] _layouts;
    private DeviceStatus _status;
    private ulong _driverFeatures;
    private uint _deviceFeaturesSelector;
    private uint _driverFeaturesSelector;
    private uint _queueSelector;
    private bool _configChanged;
    private bool _mayInterrupt; // the backend has been told of the rings: from here on until a reset
    private uint _configGeneration;

    /// <param name="backend">What is behind the registers.</param>
    /// <param name="page">Where the guest reads them, which it cannot write; empty where each read is an exit, which <see cref="Read"/> answers.</param>
    public VirtioMmioTransport(IVirtioBackend backend, GuestSlice page = default)
    {
        ArgumentNullException.ThrowIfNull(backend);
        _backend = backend;
        _page = page;
        _queues = new QueueRegisters[backend.QueueCount];
        _layouts = new VirtqueueLayout[backend.QueueCount];
        ClearPage();
        Show();
    }

    public void Read(uint offset, Span<byte> data)
    {
        if (offset >= (uint)MmioRegister.Config)
        {
            ReadConfig(offset - (uint)MmioRegister.Config, data);
        }
        else if (RegisterTable.Allows(offset, data.Length, RegisterAccess.Read))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(data, ReadRegister((MmioRegister)offset));
        }
    }

    public void Write(uint offset, ReadOnlySpan<byte> data)
    {
        if (offset >= (uint)MmioRegister.Config)
        {
            if (Has(DeviceStatus.FeaturesOk) && !HasAny(DeviceStatus.NeedsReset | DeviceStatus.Failed))
            {
                _backend.WriteConfig(_driverFeatures, offset - (uint)MmioRegister.Config, data);
            }
        }
        else if (RegisterTable.Allows(offset, data.Length, RegisterAccess.Write))
        {
            WriteRegister((MmioRegister)offset, BinaryPrimitives.ReadUInt32LittleEndian(data));
        }

        Show();
    }

    private uint ReadRegister(MmioRegister register) => register switch
    {
        MmioRegister.MagicValue => Magic,
        MmioRegister.Version => RegistersVersion,
        MmioRegister.DeviceId => _backend.DeviceId,
        MmioRegister.VendorId => Vendor,
        MmioRegister.DeviceFeatures => SelectHalf(_backend.OfferedFeatures, _deviceFeaturesSelector),
        MmioRegister.QueueNumMax => HasSelectedQueue ? _backend.MaxQueueSize : 0u,
        MmioRegister.QueueReady => HasSelectedQueue && _queues[_queueSelector].Ready ? 1u : 0u,
        MmioRegister.InterruptStatus => InterruptStatus,
        MmioRegister.Status => (uint)_status,
        MmioRegister.ConfigGeneration => _configGeneration,
        _ => 0,
    };

    private void ReadConfig(uint offset, Span<byte> data)
    {
        ReadOnlySpan<byte> config = _backend.Config;
        data.Clear();
        if (offset < (uint)config.Length)
        {
            ReadOnlySpan<byte> rest = config[(int)offset..];
            rest[..Math.Min(rest.Length, data.Length)].CopyTo(data);
        }
    }

    private void WriteRegister(MmioRegister register, uint value)
    {
        switch (register)
        {
            case MmioRegister.Status:
                WriteStatus(value);
                break;
            case MmioRegister.DeviceFeaturesSel:
                _deviceFeaturesSelector = value;
                break;
            case MmioRegister.DriverFeaturesSel:
                _driverFeaturesSelector = value;
                break;
            case MmioRegister.QueueSel:
                _queueSelector = value;
                break;
            case MmioRegister.DriverFeatures:
                WriteDriverFeatures(value);
                break;
            case MmioRegister.InterruptAck:
                _configChanged &= (value & ConfigChange) == 0;
                break;
            case MmioRegister.QueueNotify:
                // Reaches us only where no ioeventfd is attached: for a queue that does not run, which is nobody's business.
                break;
            default:
                WriteQueue(register, value);
                break;
        }
    }

    private bool HasSelectedQueue => _queueSelector < (uint)_queues.Length;

    private uint InterruptStatus =>
        (_mayInterrupt ? UsedBuffer : 0) | (_configChanged ? ConfigChange : 0);

    private static uint SelectHalf(ulong features, uint selector) => selector switch
    {
        0 => (uint)(features & uint.MaxValue),
        1 => (uint)(features >> 32),
        _ => 0,
    };
}
