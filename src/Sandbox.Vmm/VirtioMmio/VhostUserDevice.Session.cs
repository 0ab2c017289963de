using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Vmm.VirtioMmio;

/// <content>The messages: negotiation with each backend, start at DRIVER_OK, stop at reset, all of it again with a backend's successor.</content>
public sealed partial class VhostUserDevice
{
    private bool _negotiated;
    private bool _lost;
    private bool _started;
    private ulong _features;
    private bool _hasWritten;
    private byte _configAtReset;
    private bool _configChanged;

    // What is in flight, for a successor. Never mapped here: it is the backend's, kept while the backend changes.
    private int _inflightFile = -1; // owned
    private InflightArea _inflight;

    private FrontendSession Session => _channel.Session;

    private byte[] Buffer => _channel.Buffer;

    /// <summary>Learns features and configuration of the backend before the guest runs. False when it is of no use; the loss has been told.</summary>
    public bool TryNegotiate()
    {
        if (!Call(Session.WriteGetFeatures(Buffer), out ulong offered))
        {
            return false;
        }

        // Without protocol features there is no configuration space and no acknowledgement: too old to be trusted with a guest.
        const ulong Needed = TransportFeatures.ProtocolFeatures | TransportFeatures.Version1;
        if ((offered & Needed) != Needed)
        {
            return GiveUp(new BackendEnd(BackendLoss.ProtocolBroken, VhostUserFault.BackendTooWeak));
        }

        // What the driver has been offered stays offered: a successor that can do less is none.
        ulong visible = offered & _profile.Features;
        if (_negotiated && (visible & OfferedFeatures) != OfferedFeatures)
        {
            return GiveUp(new BackendEnd(BackendLoss.ProtocolBroken, VhostUserFault.BackendTooWeak));
        }

        OfferedFeatures = _negotiated ? OfferedFeatures : visible;
        bool agreed = Call(Session.WriteGetProtocolFeatures(Buffer), out ulong protocolFeatures)
            && Call(Session.WriteSetProtocolFeatures(protocolFeatures, Buffer), out _)
            && Call(Session.WriteSetOwner(Buffer), out _)
            && TryCheckQueueCount()
            && TryReadConfig();
        _negotiated |= agreed;
        return agreed;
    }

    /// <inheritdoc/>
    public bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues)
    {
        if (!IsUsable || !AreRingsSound(queues))
        {
            return false;
        }

        queues.CopyTo(_layouts);
        _features = features;
        CloseInflightFile();
        for (int queue = 0; queue < queues.Length; queue++)
        {
            // Attached before the backend hears of the ring, so that no notification can fall between.
            if (queues[queue].Size != 0 && !TryAttachNotification(queue))
            {
                return false;
            }
        }

        _started = true;
        return !_channel.End.IsSound || TrySetUp(goesOn: false) || IsUsable;
    }

    /// <summary>
    /// Goes on with the successor of a backend that has gone; the socket is taken over. Rings that ran, run again, and what was in flight is
    /// done again. False when this one is of no use either: the loss has been told. One that closes its socket too may be replaced in turn.
    /// </summary>
    /// <exception cref="LinuxException">The socket cannot be used.</exception>
    public bool Replace(FdHandle socket)
    {
        _channel.Replace(socket);
        if (!TryNegotiate() || (_started && !TrySetUp(goesOn: true)))
        {
            return IsUsable;
        }

        SignalInterrupt(); // for what the predecessor had done and not told
        return true;
    }

    // Sound, or waiting for a successor.
    private bool IsUsable => !_lost && (_channel.End.IsSound || IsAwaited(_channel.End));

    private bool IsAwaited(BackendEnd end) => _replaceable && _negotiated && end.Loss == BackendLoss.Closed;

    private bool TrySetUp(bool goesOn)
    {
        Span<int> memoryFds = stackalloc int[_memoryTable.Count];
        memoryFds.Fill(_memoryFd);
        if (!Call(Session.WriteSetFeatures(_features, Buffer), out _)
            || !TryShareInflight()
            || !Call(Session.WriteSetMemoryTable(_memoryTable, Buffer), out _, memoryFds))
        {
            return false;
        }

        if (!TryRepeatConfig(goesOn))
        {
            return false;
        }

        for (int queue = 0; queue < _layouts.Length; queue++)
        {
            if (_running[queue] && !TryStartRing(queue, _layouts[queue], goesOn))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a successor has brought another configuration since the last call, for example a disk that has grown.</summary>
    public bool TakeConfigChange()
    {
        bool changed = _configChanged;
        _configChanged = false;
        return changed;
    }

    private void CloseInflightFile()
    {
        if (_inflightFile >= 0)
        {
            _ = FdIo.Close(_inflightFile);
            _inflightFile = -1;
        }
    }

    // Fresh records for a driver that starts anew, the old ones for one that must not notice.
    private bool TryShareInflight()
    {
        if (!Session.HasInflight)
        {
            return true;
        }

        if (_inflightFile < 0)
        {
            if (!Call(Session.WriteGetInflight((ushort)_layouts.Length, RingEntries, Buffer), out _))
            {
                return false;
            }

            _inflightFile = _channel.TakeFd();
            _inflight = Session.Inflight;
        }

        return _inflightFile < 0 || _inflight.QueueCount == 0 || Call(Session.WriteSetInflight(_inflight, Buffer), out _, [_inflightFile]);
    }

    /// <inheritdoc/>
    public void WriteConfig(ulong features, uint offset, ReadOnlySpan<byte> data)
    {
        if (_profile.WritableByte != offset || data.Length != 1 || data[0] > 1 || (features & _profile.WritableWith) == 0)
        {
            return;
        }

        _config[offset] = data[0];
        _hasWritten = true;
        if (_started)
        {
            _ = TryRepeatConfig(goesOn: false);
        }
    }

    // What the driver has written: a backend that starts does not know it, and one that goes on must hear it even if it is what it was at reset.
    private bool TryRepeatConfig(bool goesOn)
    {
        bool known = !_hasWritten && !(goesOn && (_features & _profile.WritableWith) != 0);
        return known || Call(Session.WriteSetConfig((uint)_profile.WritableByte, _config.AsSpan(_profile.WritableByte, 1), Buffer), out _);
    }

    /// <inheritdoc/>
    public void StopQueues()
    {
        _started = false;
        _hasWritten = false;
        if (_profile.WritableByte >= 0)
        {
            _config[_profile.WritableByte] = _configAtReset;
        }

        for (int queue = 0; queue < _running.Length; queue++)
        {
            if (!_running[queue])
            {
                continue;
            }

            _running[queue] = false;
            DetachNotification(queue);
            _ = Call(Session.WriteGetRingBase(queue, Buffer), out _);
            _ = EventFd.TryConsume(_kickEvents[queue].Number); // a notification for the ring that was
        }

        _ = TakeRingFault(); // its faults too
    }

    // A backend checks rings too, but it may be anybody's: a driver's bad ring must not become its problem.
    private bool AreRingsSound(ReadOnlySpan<VirtqueueLayout> queues)
    {
        foreach (ref readonly VirtqueueLayout queue in queues)
        {
            if (queue.Size != 0
                && (queue.Size > RingEntries || queue.Resolve(_memory, out _, out _, out _) != VirtqueueFault.None))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryStartRing(int queue, in VirtqueueLayout layout, bool goesOn)
    {
        RingAddresses addresses = new(
            (uint)queue,
            Flags: 0,
            new UserAddress(layout.DescriptorTable.Value),
            new UserAddress(layout.UsedRing.Value),
            new UserAddress(layout.AvailableRing.Value));

        int kick = _kickEvents[queue].Number;
        ushort next = goesOn ? UsedIndexOf(layout) : (ushort)0;
        bool started = Call(Session.WriteSetRingSize(queue, layout.Size, Buffer), out _)
            && Call(Session.WriteSetRingBase(queue, next, Buffer), out _)
            && Call(Session.WriteSetRingAddresses(addresses, Buffer), out _)
            && Call(Session.WriteSetRingCall(queue, Buffer), out _, [_callEvent.Number])
            && Call(Session.WriteSetRingError(queue, Buffer), out _, [_errorEvent.Number])
            && Call(Session.WriteSetRingKick(queue, Buffer), out _, [kick])
            && Call(Session.WriteSetRingEnable(queue, enabled: true, Buffer), out _);

        // "Front-ends should inject a kick": some backends start a ring only then.
        return started && EventFd.Signal(kick) >= 0;
    }

    // Where a backend that keeps no records goes on: it answers in order, so everything after the last answer is still to be done.
    private ushort UsedIndexOf(in VirtqueueLayout layout) =>
        layout.Resolve(_memory, out _, out _, out GuestSlice used) == VirtqueueFault.None ? used.ReadUInt16Acquire(sizeof(ushort)) : (ushort)0;

    private bool TryAttachNotification(int queue)
    {
        try
        {
            _wiring.AttachIoEventFd(_place.Notify, (uint)queue, _kickEvents[queue].Number);
            _running[queue] = true;
            return true;
        }
        catch (LinuxException exception)
        {
            _onLost(exception.Message);
            return false;
        }
    }

    private void DetachNotification(int queue)
    {
        try
        {
            _wiring.DetachIoEventFd(_place.Notify, (uint)queue, _kickEvents[queue].Number);
        }
        catch (LinuxException exception)
        {
            _onLost(exception.Message);
        }
    }

    private bool TryCheckQueueCount()
    {
        // Without it the backend has what its kind of device needs, and the profile has hidden what would be more.
        if (!Session.HasMultiQueue)
        {
            return true;
        }

        return Call(Session.WriteGetQueueCount(Buffer), out ulong count)
            && (count >= (ulong)_running.Length || GiveUp(new BackendEnd(BackendLoss.ProtocolBroken, VhostUserFault.BackendTooWeak)));
    }

    private bool TryReadConfig()
    {
        if (_profile.ConfigBytes == 0)
        {
            return true;
        }

        if (!Session.HasConfig)
        {
            return GiveUp(new BackendEnd(BackendLoss.ProtocolBroken, VhostUserFault.BackendTooWeak));
        }

        if (!Call(Session.WriteGetConfig((uint)_config.Length, Buffer), out _))
        {
            return false;
        }

        Span<byte> answer = stackalloc byte[VhostUserLimits.MaxConfigBytes];
        answer = answer[.._config.Length];
        _channel.Payload.Slice(ConfigRange.SizeBytes, _config.Length).CopyTo(answer);
        if (_profile.WritableByte >= 0)
        {
            _configAtReset = answer[_profile.WritableByte];
            answer[_profile.WritableByte] = _hasWritten ? _config[_profile.WritableByte] : _configAtReset;
        }

        _configChanged |= _negotiated && !answer.SequenceEqual(_config);
        answer.CopyTo(_config);
        return true;
    }

    private bool Call(int bytes, out ulong value, ReadOnlySpan<int> fds = default)
    {
        bool wasSound = _channel.End.IsSound;
        bool answered = _channel.TryCall(bytes, fds, out value);
        return answered || (wasSound && !IsAwaited(_channel.End) && GiveUp(_channel.End));
    }

    private bool GiveUp(BackendEnd end)
    {
        _lost = true;
        _onLost(end.Describe());
        return false;
    }
}
