using Sandbox.Virtio;

namespace Sandbox.Vmm.VirtioMmio;

/// <content>The states: which write counts when (virtio 1.2, 3.1.1 and 2.1.2).</content>
public sealed partial class VirtioMmioTransport
{
    // What a driver must have said before it may say the next thing.
    private const DeviceStatus BeforeFeatures = DeviceStatus.Acknowledge | DeviceStatus.Driver;
    private const DeviceStatus BeforeDriverOk = BeforeFeatures | DeviceStatus.FeaturesOk;

    private void WriteStatus(uint value)
    {
        if (value == 0)
        {
            Reset();
            return;
        }

        DeviceStatus written = (DeviceStatus)value;
        // "The driver MUST NOT clear a bit in device status"; what it writes for NEEDS_RESET is not its to say.
        DeviceStatus held = _status & ~DeviceStatus.NeedsReset;
        if ((written & held) != held)
        {
            return;
        }

        DeviceStatus added = written & ~held;
        _status |= added & (DeviceStatus.Acknowledge | DeviceStatus.Driver | DeviceStatus.Failed);
        if ((added & DeviceStatus.FeaturesOk) != 0 && Has(BeforeFeatures) && AreFeaturesAcceptable())
        {
            _status |= DeviceStatus.FeaturesOk;
        }

        if ((added & DeviceStatus.DriverOk) != 0 && Has(BeforeDriverOk) && !HasAny(DeviceStatus.Failed | DeviceStatus.NeedsReset))
        {
            Start();
        }
    }

    // Features that were not offered, or a legacy driver: FEATURES_OK stays clear and the driver sees that it is refused (3.1.1, step 6).
    private bool AreFeaturesAcceptable() =>
        (_driverFeatures & ~_backend.OfferedFeatures) == 0 && (_driverFeatures & VirtioFeatureBits.Version1) != 0;

    private void WriteDriverFeatures(uint value)
    {
        if (!Has(BeforeFeatures) || HasAny(DeviceStatus.FeaturesOk))
        {
            return;
        }

        switch (_driverFeaturesSelector)
        {
            case 0:
                _driverFeatures = (_driverFeatures & 0xFFFF_FFFF_0000_0000) | value;
                break;
            case 1:
                _driverFeatures = (_driverFeatures & 0xFFFF_FFFF) | ((ulong)value << 32);
                break;
            default:
                break; // no third half exists
        }
    }

    private void WriteQueue(MmioRegister register, uint value)
    {
        // Between FEATURES_OK and DRIVER_OK, and never again (3.1.1, step 7).
        if (!HasSelectedQueue || !Has(BeforeDriverOk) || HasAny(DeviceStatus.DriverOk | DeviceStatus.NeedsReset | DeviceStatus.Failed))
        {
            return;
        }

        ref QueueRegisters queue = ref _queues[_queueSelector];
        if (register == MmioRegister.QueueReady)
        {
            queue.Ready = value == 1;
        }
        else if (!queue.Ready)
        {
            _ = queue.TryWrite(register, value);
        }
    }

    private void Start()
    {
        for (int index = 0; index < _queues.Length; index++)
        {
            _layouts[index] = _queues[index].Layout;
        }

        // The backend may complete a buffer while it is told of the next ring, and another vCPU take the interrupt.
        _mayInterrupt = true;
        Show();
        if (_backend.TryStart(_driverFeatures, _layouts))
        {
            _status |= DeviceStatus.DriverOk;
            if (_configChanged)
            {
                Interrupt(); // of a change before this: the driver may have read what was before it
            }

            return;
        }

        // The driver did set DRIVER_OK, so it is owed the interrupt that tells it to look (2.1.2).
        _status |= DeviceStatus.DriverOk;
        DemandReset();
    }

    /// <summary>
    /// The device can do no more until the driver resets it (2.1.2). False, with nothing done, where the driver has been told or the device
    /// does not run. The caller holds the lock on this object, as the bus does.
    /// </summary>
    public bool DemandReset()
    {
        if (!Has(DeviceStatus.DriverOk) || HasAny(DeviceStatus.NeedsReset))
        {
            return false;
        }

        _status |= DeviceStatus.NeedsReset;
        _configChanged = true;
        Interrupt();
        return true;
    }

    /// <summary>
    /// The configuration is another one (2.5.2: with another generation). A driver that runs is told at once, one that is not so far when it
    /// is: nothing may be sent to it before. The caller holds the lock on this object.
    /// </summary>
    public void ConfigurationChanged()
    {
        ShowConfigurationChange();
        if (_status == DeviceStatus.None)
        {
            return; // nobody has read the old one
        }

        _configChanged = true;
        Show();
        if (Has(DeviceStatus.DriverOk))
        {
            _backend.SignalInterrupt();
        }
    }

    private void Reset()
    {
        _backend.StopQueues();
        _status = DeviceStatus.None;
        _driverFeatures = 0;
        _deviceFeaturesSelector = 0;
        _driverFeaturesSelector = 0;
        _queueSelector = 0;
        _configChanged = false;
        _mayInterrupt = false;
        Array.Clear(_queues);
        Array.Clear(_layouts);
    }

    private bool Has(DeviceStatus all) => (_status & all) == all;

    private bool HasAny(DeviceStatus any) => (_status & any) != 0;
}
