using Sandbox.Fuzz.Engine;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Fuzz.Targets;

/// <summary>The backend behind the registers, and what a driver's writes must have come to.</summary>
internal sealed class TransportModel : IVirtioBackend
{
    public const int Queues = 3;

    private const uint Acknowledge = 1;
    private const uint Driver = 2;
    private const uint DriverOk = 4;
    private const uint FeaturesOk = 8;
    private const uint NeedsReset = 64;
    private const uint Failed = 128;

    private readonly Queue[] _queues = new Queue[Queues];
    private readonly byte[] _config = new byte[60];
    private readonly VirtqueueLayout[] _started = new VirtqueueLayout[Queues];
    private uint _status;
    private ulong _features;
    private uint _half;
    private uint _selected;
    private bool _running;
    private int _starts;
    private int _startsSeen;
    private ulong _startedFeatures;
    private bool _configChanged;
    private int _interrupts;
    private int _interruptsDue;

    public bool RefusesStart { get; set; }

    public uint DeviceId => 2;

    public ulong OfferedFeatures => VirtioFeatureBits.Version1 | VirtioFeatureBits.RingEventIndex | 0x244;

    public int QueueCount => Queues;

    public ushort MaxQueueSize => 256;

    public ReadOnlySpan<byte> Config => _config;

    public bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues)
    {
        if (_running)
        {
            throw new FindingException("transport: started twice without a reset");
        }

        if ((features & ~OfferedFeatures) != 0 || (features & VirtioFeatureBits.Version1) == 0)
        {
            throw new FindingException($"transport: started with features 0x{features:x}");
        }

        queues.CopyTo(_started);
        _startedFeatures = features;
        _running = !RefusesStart;
        _starts++;
        return _running;
    }

    public void WriteConfig(ulong features, uint offset, ReadOnlySpan<byte> data)
    {
        if ((_status & FeaturesOk) == 0 || (_status & (NeedsReset | Failed)) != 0)
        {
            throw new FindingException($"transport: configuration written in status 0x{_status:x}");
        }
    }

    public void StopQueues() => _running = false;

    public void SignalInterrupt() => _interrupts++;

    /// <summary>The device demanded a reset.</summary>
    public void Demanded(bool done)
    {
        bool right = (_status & DriverOk) != 0 && (_status & NeedsReset) == 0;
        if (done != right)
        {
            throw new FindingException($"transport: demanding a reset gave {done} in status 0x{_status:x}");
        }

        _status |= right ? NeedsReset : 0;
        _configChanged |= right;
        _interruptsDue += right ? 1 : 0;
    }

    /// <summary>The configuration is another one.</summary>
    public void Changed()
    {
        _configChanged |= _status != 0;
        _interruptsDue += (_status & DriverOk) != 0 ? 1 : 0;
    }

    /// <summary>A driver's write, as the specification takes it.</summary>
    public void Wrote(uint offset, int width, uint value)
    {
        if (width != sizeof(uint) || offset % 4 != 0)
        {
            return;
        }

        switch (offset)
        {
            case 0x14:
                break;
            case 0x24:
                _half = value;
                break;
            case 0x64:
                _configChanged &= (value & 2) == 0;
                break;
            case 0x30:
                _selected = value;
                break;
            case 0x20 when (_status & (Acknowledge | Driver)) == (Acknowledge | Driver) && (_status & FeaturesOk) == 0 && _half < 2:
                _features = _half == 0 ? (_features & ~0xFFFF_FFFFUL) | value : (_features & 0xFFFF_FFFF) | ((ulong)value << 32);
                break;
            case 0x70:
                WroteStatus(value);
                break;
            default:
                WroteQueue(offset, value);
                break;
        }

        if (_starts != _startsSeen)
        {
            _startsSeen = _starts;
            throw new FindingException($"transport: DRIVER_OK reached the backend by a write of 0x{value:x} to 0x{offset:x}");
        }
    }

    public void Check(uint status, uint ready, uint interrupts)
    {
        if (_interrupts != _interruptsDue)
        {
            throw new FindingException($"transport: {_interrupts} interrupts; the specification gives {_interruptsDue}");
        }

        uint pending = ((_status & DriverOk) != 0 ? 1u : 0) | (_configChanged ? 2u : 0);
        if (interrupts != pending)
        {
            throw new FindingException($"transport: InterruptStatus reads {interrupts}; the specification gives {pending}");
        }

        uint right = _selected < Queues && _queues[_selected].Ready ? 1u : 0;
        if (ready != right)
        {
            throw new FindingException($"transport: QueueReady reads {ready}; the specification gives {right}");
        }

        Reached.Note(1, (int)status);
        if (status != _status)
        {
            throw new FindingException($"transport: the status is 0x{status:x}; the specification gives 0x{_status:x}");
        }
    }

    private void WroteStatus(uint value)
    {
        if (value == 0)
        {
            _status = 0;
            _features = 0;
            _half = 0;
            _selected = 0;
            _configChanged = false;
            Array.Clear(_queues);
            if (_running)
            {
                throw new FindingException("transport: reset left the queues running");
            }

            return;
        }

        uint held = _status & ~NeedsReset;
        if ((value & held) != held)
        {
            return; // a driver may not clear a bit
        }

        uint added = value & ~held;
        _status |= added & (Acknowledge | Driver | Failed);
        if ((added & FeaturesOk) != 0 && (_status & 3) == 3 && (_features & ~OfferedFeatures) == 0 && (_features & VirtioFeatureBits.Version1) != 0)
        {
            _status |= FeaturesOk;
        }

        if ((added & DriverOk) != 0 && (_status & 11) == 11 && (_status & (Failed | NeedsReset)) == 0)
        {
            _status |= DriverOk | (RefusesStart ? NeedsReset : 0);
            _configChanged |= RefusesStart;
            _interruptsDue += _configChanged ? 1 : 0; // none before
            JudgeStart();
        }
    }

    private void JudgeStart()
    {
        if (_starts != _startsSeen + 1)
        {
            throw new FindingException("transport: DRIVER_OK did not reach the backend");
        }

        _startsSeen = _starts;
        for (int index = 0; index < Queues; index++)
        {
            Queue queue = _queues[index];
            VirtqueueLayout expected = queue.Ready
                ? new VirtqueueLayout(queue.Size, new GuestAddress(queue.Descriptors), new GuestAddress(queue.Available), new GuestAddress(queue.Used))
                : default;
            if (_started[index] != expected || _startedFeatures != _features)
            {
                throw new FindingException($"transport: queue {index} was started as {_started[index]}; the driver wrote {expected}");
            }
        }
    }

    private void WroteQueue(uint offset, uint value)
    {
        if (_selected >= Queues || (_status & 11) != 11 || (_status & (DriverOk | NeedsReset | Failed)) != 0)
        {
            return;
        }

        ref Queue queue = ref _queues[_selected];
        if (offset == 0x44)
        {
            queue.Ready = value == 1;
        }
        else if (!queue.Ready)
        {
            queue.Write(offset, value);
        }
    }

    private struct Queue
    {
        public bool Ready;
        public uint Size;
        public ulong Descriptors;
        public ulong Available;
        public ulong Used;

        public void Write(uint offset, uint value)
        {
            switch (offset)
            {
                case 0x38:
                    Size = value;
                    break;
                case 0x80 or 0x84:
                    Half(ref Descriptors, offset, value);
                    break;
                case 0x90 or 0x94:
                    Half(ref Available, offset, value);
                    break;
                case 0xA0 or 0xA4:
                    Half(ref Used, offset, value);
                    break;
                default:
                    break;
            }
        }

        private static void Half(ref ulong address, uint offset, uint value) =>
            address = offset % 8 == 0 ? (address & ~0xFFFF_FFFFUL) | value : (address & 0xFFFF_FFFF) | ((ulong)value << 32);
    }
}
