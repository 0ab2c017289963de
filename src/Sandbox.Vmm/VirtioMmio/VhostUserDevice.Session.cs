using Sandbox.Linux;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Vmm.VirtioMmio;

/// <content>The messages: negotiation once, start at DRIVER_OK, stop at reset.</content>
public sealed partial class VhostUserDevice
{
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

        OfferedFeatures = offered & _profile.Features;
        return Call(Session.WriteGetProtocolFeatures(Buffer), out ulong protocolFeatures)
            && Call(Session.WriteSetProtocolFeatures(protocolFeatures, Buffer), out _)
            && Call(Session.WriteSetOwner(Buffer), out _)
            && TryCheckQueueCount()
            && TryReadConfig();
    }

    /// <inheritdoc/>
    public bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues)
    {
        if (!_channel.End.IsSound || !AreRingsSound(queues))
        {
            return false;
        }

        Span<int> memoryFds = stackalloc int[_memoryTable.Count];
        memoryFds.Fill(_memoryFd);
        if (!Call(Session.WriteSetFeatures(features, Buffer), out _)
            || !Call(Session.WriteSetMemoryTable(_memoryTable, Buffer), out _, memoryFds))
        {
            return false;
        }

        for (int queue = 0; queue < queues.Length; queue++)
        {
            if (queues[queue].Size != 0 && !TryStartRing(queue, queues[queue]))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void StopQueues()
    {
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

    private bool TryStartRing(int queue, in VirtqueueLayout layout)
    {
        RingAddresses addresses = new(
            (uint)queue,
            Flags: 0,
            new UserAddress(layout.DescriptorTable.Value),
            new UserAddress(layout.UsedRing.Value),
            new UserAddress(layout.AvailableRing.Value));

        // Attached before the backend hears of the ring, so that no notification can fall between.
        if (!TryAttachNotification(queue))
        {
            return false;
        }

        int kick = _kickEvents[queue].Number;
        _running[queue] = true;
        bool started = Call(Session.WriteSetRingSize(queue, layout.Size, Buffer), out _)
            && Call(Session.WriteSetRingBase(queue, 0, Buffer), out _)
            && Call(Session.WriteSetRingAddresses(addresses, Buffer), out _)
            && Call(Session.WriteSetRingCall(queue, Buffer), out _, [_callEvent.Number])
            && Call(Session.WriteSetRingKick(queue, Buffer), out _, [kick])
            && Call(Session.WriteSetRingEnable(queue, enabled: true, Buffer), out _);

        // "Front-ends should inject a kick": some backends start a ring only then.
        return started && EventFd.Signal(kick) >= 0;
    }

    private bool TryAttachNotification(int queue)
    {
        try
        {
            _wiring.AttachIoEventFd(_place.Notify, (uint)queue, _kickEvents[queue].Number);
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
        if (_config.Length == 0)
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

        _channel.Payload.Slice(ConfigRange.SizeBytes, _config.Length).CopyTo(_config);
        return true;
    }

    private bool Call(int bytes, out ulong value, ReadOnlySpan<int> fds = default)
    {
        bool wasSound = _channel.End.IsSound;
        bool answered = _channel.TryCall(bytes, fds, out value);
        return answered || (wasSound && GiveUp(_channel.End));
    }

    private bool GiveUp(BackendEnd end)
    {
        _onLost(end.Describe());
        return false;
    }
}
