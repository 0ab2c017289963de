namespace Sandbox.Control.Launch;

/// <summary>The device that a device process shall be. A member that its kind does not use is zero, false or empty.</summary>
public sealed class DeviceLaunchSpec
{
    public required DeviceKind Kind { get; init; }

    /// <summary>Block: offer VIRTIO_BLK_F_RO and refuse writes. The fd is then open for reading only.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Block: the fd is open with O_DIRECT; the capacity is then a multiple of 4096.</summary>
    public bool Direct { get; init; }

    /// <summary>Block: capacity in bytes, a multiple of 512. It may change: the next process of the device is given the new one.</summary>
    public long CapacityBytes { get; set; }

    /// <summary>Block: what VIRTIO_BLK_T_GET_ID answers; printable ASCII of at most 20 bytes.</summary>
    public string SerialId { get; init; } = "";

    /// <summary>Block: request queues, 1 to <see cref="LaunchLimits.MaxQueues"/>. Network: pairs of queues, 1 to <see cref="LaunchLimits.MaxNetworkPairs"/>.</summary>
    public int QueueCount { get; init; } = 1;

    /// <summary>Vsock: the guest's context id, 3 or more (0 to 2 are taken by vsock(7)).</summary>
    public uint GuestCid { get; init; }

    /// <summary>Vsock: host ports that the guest may connect to, in the order of the inherited sockets.</summary>
    public IReadOnlyList<uint> VsockPorts { get; init; } = [];

    /// <summary>Vsock: ports of the guest's own that it is asked for; their sockets follow those of <see cref="VsockPorts"/>, together at most <see cref="LaunchLimits.MaxVsockPorts"/>.</summary>
    public IReadOnlyList<uint> VsockGuestPorts { get; init; } = [];

    /// <summary>Network: what the backing fd is.</summary>
    public NetBackingKind NetBacking { get; init; }

    /// <summary>Network: the guest's Ethernet address in the low 48 bits, the first byte highest; not zero and no group's address.</summary>
    public ulong MacAddress { get; init; }

    /// <summary>Network: the largest packet in bytes, <see cref="LaunchLimits.MinMtu"/> to <see cref="LaunchLimits.MaxMtu"/>.</summary>
    public int Mtu { get; init; }

    /// <summary>Network: the most bytes a second in each direction. Block: in both together. 0 for no bound.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>Block: the most requests a second; 0 for no bound.</summary>
    public long OperationsPerSecond { get; init; }

    /// <summary>Writes the whole frame into a buffer of <see cref="LaunchLimits.MaxFrameBytes"/>; returns its length.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Kind);
        writer.U8((byte)((ReadOnly ? 1 : 0) | (Direct ? 2 : 0)));
        writer.U64((ulong)CapacityBytes);
        writer.Text(SerialId);
        writer.U16((ushort)QueueCount);
        writer.U32(GuestCid);
        WritePorts(ref writer, VsockPorts);
        WritePorts(ref writer, VsockGuestPorts);

        writer.U16((ushort)NetBacking);
        writer.U64(MacAddress);
        writer.U16((ushort)Mtu);
        writer.U64((ulong)BytesPerSecond);
        writer.U64((ulong)OperationsPerSecond);
        return LaunchFrame.Finish(frame, LaunchMessageType.DeviceSpec, writer.Count);
    }

    /// <summary>Reads the content of a frame of type <see cref="LaunchMessageType.DeviceSpec"/>.</summary>
    public static LaunchFault Decode(ReadOnlySpan<byte> content, out DeviceLaunchSpec? spec)
    {
        LaunchReader reader = new(content);
        DeviceKind kind = (DeviceKind)reader.U16();
        byte flags = reader.U8();
        long capacity = reader.Size(long.MaxValue);
        string serialId = reader.Text(LaunchLimits.MaxSerialIdBytes);
        int queueCount = reader.Count(LaunchLimits.MaxQueues);
        uint guestCid = reader.U32();
        reader.Require(Enum.IsDefined(kind) && flags <= 3 && capacity % ((flags & 2) == 0 ? 512 : 4096) == 0 && queueCount > 0);
        reader.Require(kind != DeviceKind.Vsock || guestCid is >= 3 and < uint.MaxValue);

        uint[] ports = ReadPorts(ref reader, LaunchLimits.MaxVsockPorts);
        uint[] guestPorts = ReadPorts(ref reader, LaunchLimits.MaxVsockPorts - ports.Length);
        NetBackingKind backing = (NetBackingKind)reader.U16();
        ulong mac = reader.U64();
        int mtu = reader.U16();
        long rate = reader.Size(LaunchLimits.MaxBytesPerSecond);
        long operations = reader.Size(LaunchLimits.MaxOperationsPerSecond);
        reader.Require(Enum.IsDefined(backing));
        reader.Require(kind != DeviceKind.Network || (mtu >= LaunchLimits.MinMtu && IsOneStation(mac) && queueCount <= LaunchLimits.MaxNetworkPairs));

        LaunchFault fault = reader.End();
        spec = fault != LaunchFault.None ? null : new()
        {
            Kind = kind,
            ReadOnly = (flags & 1) != 0,
            Direct = (flags & 2) != 0,
            CapacityBytes = capacity,
            SerialId = serialId,
            QueueCount = queueCount,
            GuestCid = guestCid,
            VsockPorts = ports,
            VsockGuestPorts = guestPorts,
            NetBacking = backing,
            MacAddress = mac,
            Mtu = mtu,
            BytesPerSecond = rate,
            OperationsPerSecond = operations,
        };
        return fault;
    }

    private static void WritePorts(ref LaunchWriter writer, IReadOnlyList<uint> ports)
    {
        writer.U16((ushort)ports.Count);
        foreach (uint port in ports)
        {
            writer.U32(port);
        }
    }

    private static uint[] ReadPorts(ref LaunchReader reader, int most)
    {
        uint[] ports = new uint[reader.Count(most)];
        for (int index = 0; index < ports.Length; index++)
        {
            ports[index] = reader.U32();
        }

        return ports;
    }

    // 48 bits, not zero; the lowest bit of the first byte marks the address of a group.
    private static bool IsOneStation(ulong mac) => mac is > 0 and < (1UL << 48) && ((mac >> 40) & 1) == 0;
}
