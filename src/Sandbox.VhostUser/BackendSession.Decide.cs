namespace Sandbox.VhostUser;

/// <content>From a message that the table allows to an action.</content>
public sealed partial class BackendSession
{
    private VhostUserFault Decide(in MessageHeader header, ReadOnlySpan<byte> payload, int fdCount, out BackendAction action)
    {
        action = default;
        switch (header.Request)
        {
            case FrontendRequest.GetFeatures:
                action = default(BackendAction) with { Value = _offeredFeatures };
                return VhostUserFault.None;
            case FrontendRequest.GetProtocolFeatures:
                action = default(BackendAction) with { Value = (ulong)_spoken };
                return VhostUserFault.None;
            case FrontendRequest.GetQueueNum:
                action = default(BackendAction) with { Value = (ulong)_rings.Length };
                return VhostUserFault.None;
            case FrontendRequest.SetOwner:
                _phase = SessionPhase.Owned;
                return VhostUserFault.None;
            case FrontendRequest.ResetOwner:
                return VhostUserFault.None;
            case FrontendRequest.SetProtocolFeatures:
                return AcceptProtocolFeatures(VhostUserCodec.ReadValue(payload));
            case FrontendRequest.SetFeatures:
                return AcceptFeatures(VhostUserCodec.ReadValue(payload), out action);
            case FrontendRequest.SetMemTable:
                return AcceptMemory(payload, fdCount, out action);
            case FrontendRequest.GetConfig:
            case FrontendRequest.SetConfig:
                return AcceptConfig(header.Request, payload, out action);
            case FrontendRequest.GetInflightFd:
            case FrontendRequest.SetInflightFd:
                return AcceptInflight(header.Request, VhostUserCodec.ReadInflight(payload), out action);
            case FrontendRequest.SetVringKick:
            case FrontendRequest.SetVringCall:
            case FrontendRequest.SetVringErr:
                return AcceptRingEvent(header.Request, payload, fdCount, out action);
            case FrontendRequest.SetVringAddr:
                RingAddresses addresses = VhostUserCodec.ReadRingAddresses(payload);
                return addresses.Index < (uint)_rings.Length ? _rings[addresses.Index].SetAddresses(addresses) : VhostUserFault.BadQueueIndex;
            default:
                return AcceptRingState(header.Request, VhostUserCodec.ReadRingState(payload), out action);
        }
    }

    private VhostUserFault AcceptProtocolFeatures(ulong value)
    {
        if ((value & ~(ulong)_spoken) != 0)
        {
            return VhostUserFault.BadFeatures;
        }

        _protocolFeatures = (ProtocolFeatures)value;
        return VhostUserFault.None;
    }

    private VhostUserFault AcceptFeatures(ulong features, out BackendAction action)
    {
        action = default;
        // Legacy rings have another layout and byte order: without VERSION_1 there is nothing to talk about.
        if ((features & ~_offeredFeatures) != 0 || (features & TransportFeatures.Version1) == 0)
        {
            return VhostUserFault.BadFeatures;
        }

        foreach (ref readonly BackendRing ring in _rings.AsSpan())
        {
            if (ring.Running)
            {
                // QEMU speaks of each pair of a network device's queues as of a device: it says the same again when the first pair runs.
                return features == _agreedFeatures ? VhostUserFault.None : VhostUserFault.RingIsRunning;
            }
        }

        _agreedFeatures = features;
        // "If VHOST_USER_F_PROTOCOL_FEATURES has not been negotiated, the ring starts directly in the enabled state."
        if ((features & TransportFeatures.ProtocolFeatures) == 0)
        {
            foreach (ref BackendRing ring in _rings.AsSpan())
            {
                ring.Enabled = true;
            }
        }

        DeviceFeatures = features & ~TransportFeatures.ProtocolFeatures;
        _phase = SessionPhase.Agreed;
        action = default(BackendAction) with { Kind = BackendActionKind.ApplyFeatures };
        return VhostUserFault.None;
    }

    private VhostUserFault AcceptMemory(ReadOnlySpan<byte> payload, int fdCount, out BackendAction action)
    {
        action = default;
        VhostUserFault fault = VhostUserCodec.ReadMemoryTable(payload, out MemoryTable table);
        if (fault != VhostUserFault.None)
        {
            return fault;
        }

        if (fdCount != table.Count)
        {
            return VhostUserFault.BadFdCount;
        }

        // A ring that runs must lie in the new memory as well, or the device would be left with one it cannot reach.
        foreach (ref readonly BackendRing ring in _rings.AsSpan())
        {
            if (ring.Running && ring.Resolve(table, out _) != VhostUserFault.None)
            {
                return VhostUserFault.BadRingAddress;
            }
        }

        _memory = table;
        action = default(BackendAction) with { Kind = BackendActionKind.MapMemory, Fds = FdDisposition.CloseAfterUse };
        return VhostUserFault.None;
    }

    private static VhostUserFault AcceptConfig(FrontendRequest request, ReadOnlySpan<byte> payload, out BackendAction action)
    {
        VhostUserFault fault = VhostUserCodec.ReadConfigRange(payload, out ConfigRange range);
        BackendActionKind kind = request == FrontendRequest.SetConfig ? BackendActionKind.WriteConfig : BackendActionKind.None;
        action = default(BackendAction) with { Kind = kind, Config = range };
        return fault;
    }

    private VhostUserFault AcceptInflight(FrontendRequest request, InflightArea asked, out BackendAction action)
    {
        action = default;
        if (asked.QueueCount == 0 || asked.QueueCount > _rings.Length)
        {
            return VhostUserFault.BadQueueIndex;
        }

        if (asked.QueueSize == 0 || asked.QueueSize > _maxQueueSize)
        {
            return VhostUserFault.BadQueueSize;
        }

        foreach (ref readonly BackendRing ring in _rings.AsSpan())
        {
            if (ring.Running)
            {
                return VhostUserFault.RingIsRunning;
            }
        }

        if (request == FrontendRequest.GetInflightFd)
        {
            action = default(BackendAction) with { Kind = BackendActionKind.GiveInflight, Inflight = asked with { SizeBytes = asked.NeededBytes, OffsetBytes = 0 } };
            return VhostUserFault.None;
        }

        const ulong PageMask = 4095;
        if (asked.SizeBytes < asked.NeededBytes || asked.SizeBytes > VhostUserLimits.MaxInflightBytes
            || (asked.OffsetBytes & PageMask) != 0 || asked.OffsetBytes > VhostUserLimits.MaxInflightBytes)
        {
            return VhostUserFault.BadInflightArea;
        }

        _inflight = asked;
        action = default(BackendAction) with { Kind = BackendActionKind.MapInflight, Fds = FdDisposition.CloseAfterUse, Inflight = asked };
        return VhostUserFault.None;
    }

    private VhostUserFault AcceptRingEvent(FrontendRequest request, ReadOnlySpan<byte> payload, int fdCount, out BackendAction action)
    {
        action = default;
        VhostUserFault fault = VhostUserCodec.ReadRingEvent(payload, out RingEvent ringEvent);
        if (fault != VhostUserFault.None)
        {
            return fault;
        }

        if (fdCount != (ringEvent.HasFd ? 1 : 0))
        {
            return VhostUserFault.BadFdCount;
        }

        if (ringEvent.Index >= _rings.Length)
        {
            return VhostUserFault.BadQueueIndex;
        }

        FdDisposition fds = ringEvent.HasFd ? FdDisposition.Keep : FdDisposition.Close;
        if (request != FrontendRequest.SetVringKick)
        {
            BackendActionKind kind = request == FrontendRequest.SetVringCall ? BackendActionKind.SetCall : BackendActionKind.SetError;
            action = default(BackendAction) with { Kind = kind, Fds = fds, Queue = ringEvent.Index };
            return VhostUserFault.None;
        }

        ref BackendRing ring = ref _rings[ringEvent.Index];
        if (ring.Running)
        {
            return VhostUserFault.RingIsRunning;
        }

        // Without an fd the backend would have to poll the ring: one core per idle device, for a frontend's whim.
        if (!ringEvent.HasFd)
        {
            return VhostUserFault.BadFdCount;
        }

        ring.HasKick = true;
        fault = TryStart(ringEvent.Index, out RingChange change);
        action = default(BackendAction) with { Kind = BackendActionKind.SetKick, Fds = fds, Queue = ringEvent.Index, Ring = change };
        return fault;
    }

    private VhostUserFault AcceptRingState(FrontendRequest request, RingState state, out BackendAction action)
    {
        action = default;
        if (state.Index >= (uint)_rings.Length)
        {
            return VhostUserFault.BadQueueIndex;
        }

        ref BackendRing ring = ref _rings[state.Index];
        switch (request)
        {
            case FrontendRequest.SetVringNum:
                return ring.SetSize(state.Value, _maxQueueSize);
            case FrontendRequest.SetVringBase:
                return ring.SetBase(state.Value);
            case FrontendRequest.SetVringEnable:
                return Enable(ref ring, state, out action);
            case FrontendRequest.GetVringBase:
                // Stops the ring, whether or not it ran; the frontend hands in new fds before it starts again.
                action = default(BackendAction) with { Queue = (int)state.Index, Ring = RingChange.Stop, Value = ring.NextAvailableIndex };
                ring.Running = false;
                ring.HasKick = false;
                return VhostUserFault.None;
            default:
                return VhostUserFault.UnknownRequest; // a row of the table that nothing serves
        }
    }

    private VhostUserFault Enable(ref BackendRing ring, RingState state, out BackendAction action)
    {
        action = default(BackendAction) with { Queue = (int)state.Index };
        if (state.Value > 1)
        {
            return VhostUserFault.BadValue;
        }

        ring.Enabled = state.Value == 1;
        if (!ring.Enabled)
        {
            action = action with { Ring = ring.Running ? RingChange.Pause : RingChange.None };
            ring.Running = false;
            return VhostUserFault.None;
        }

        VhostUserFault fault = TryStart((int)state.Index, out RingChange change);
        action = action with { Ring = change };
        return fault;
    }

    // A ring runs from the moment it has both a kick and permission, in whichever order they come. What is missing then is a fault:
    // no frontend may start a ring first and describe it later.
    private VhostUserFault TryStart(int queue, out RingChange change)
    {
        ref BackendRing ring = ref _rings[queue];
        change = RingChange.None;
        if (ring.Running || !ring.HasKick || !ring.Enabled)
        {
            return VhostUserFault.None;
        }

        VhostUserFault fault = ring.Resolve(_memory, out RingLayout layout);
        if (fault == VhostUserFault.None && _inflight.QueueCount != 0 && (queue >= _inflight.QueueCount || layout.Size > _inflight.QueueSize))
        {
            return VhostUserFault.BadQueueSize; // a ring that its record cannot hold
        }

        if (fault == VhostUserFault.None)
        {
            ring.Running = true;
            change = RingChange.Start;
        }

        return fault;
    }
}
