using System.Buffers.Binary;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Testing;

/// <summary>
/// The frontend's side of a vhost-user socket, message by message and without a session of its own, so that a test can also say
/// what no frontend should. The guest's memory table uses the user addresses 0x7000_0000_0000 + guest address.
/// </summary>
public sealed class VhostUserFrontend(FdHandle socket) : IDisposable
{
    public const ulong UserBase = 0x7000_0000_0000;

    private const int ReplyTimeoutMilliseconds = 5000;

    public FdHandle Socket => socket;

    /// <summary>Sends one message as it is.</summary>
    public void Send(FrontendRequest request, ReadOnlySpan<byte> payload, params ReadOnlySpan<int> fds)
    {
        byte[] message = new byte[MessageHeader.SizeBytes + payload.Length];
        VhostUserCodec.WriteHeader(message, new MessageHeader(request, MessageFlags.Version1, (uint)payload.Length));
        payload.CopyTo(message.AsSpan(MessageHeader.SizeBytes));
        SendRaw(message, fds);
    }

    public void SendRaw(ReadOnlySpan<byte> message, params ReadOnlySpan<int> fds) =>
        LinuxException.Check(UnixSocket.Send(socket.Number, message, fds), "send to backend");

    /// <summary>Sends a message and takes the payload of its answer.</summary>
    public byte[] Ask(FrontendRequest request, ReadOnlySpan<byte> payload)
    {
        Send(request, payload);
        byte[] header = Receive(MessageHeader.SizeBytes);
        if (VhostUserCodec.ReadHeader(header, out MessageHeader answer) != VhostUserFault.None || answer.Request != request)
        {
            throw new InvalidDataException($"{request} was answered by {answer.Request}");
        }

        return Receive((int)answer.PayloadBytes);
    }

    public ulong AskValue(FrontendRequest request) => VhostUserCodec.ReadValue(Ask(request, []));

    public void SendValue(FrontendRequest request, ulong value)
    {
        byte[] payload = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(payload, value);
        Send(request, payload);
    }

    public void SendRingState(FrontendRequest request, uint index, uint value)
    {
        byte[] payload = new byte[RingState.SizeBytes];
        VhostUserCodec.WriteRingState(payload, new RingState(index, value));
        Send(request, payload);
    }

    /// <summary>Everything up to the first ring: owner, features, memory. The features agreed.</summary>
    public ulong Negotiate(TestGuest guest, ulong unwanted = 0)
    {
        ArgumentNullException.ThrowIfNull(guest);
        ulong features = AskValue(FrontendRequest.GetFeatures) & ~unwanted;
        Send(FrontendRequest.SetOwner, []);
        SendValue(FrontendRequest.SetProtocolFeatures, AskValue(FrontendRequest.GetProtocolFeatures));
        SendValue(FrontendRequest.SetFeatures, features);
        SendMemory(guest);
        return features;
    }

    public void SendMemory(TestGuest guest)
    {
        ArgumentNullException.ThrowIfNull(guest);
        MemoryTable table = default;
        foreach (GuestMemoryRegion region in TestGuest.Regions)
        {
            table.TryAdd(new MemoryTableRegion(region.Start.Value, region.LengthBytes, new UserAddress(UserBase + region.Start.Value), region.FileOffset));
        }

        byte[] payload = new byte[VhostUserLimits.MaxPayloadBytes];
        int length = VhostUserCodec.WriteMemoryTable(payload, table);
        Send(FrontendRequest.SetMemTable, payload.AsSpan(0, length), guest.File.Number, guest.File.Number);
    }

    /// <summary>Describes a ring and starts it.</summary>
    public void StartRing(uint index, DriverQueue driver, int kick, int call, ushort baseIndex = 0)
    {
        ArgumentNullException.ThrowIfNull(driver);
        SendRingState(FrontendRequest.SetVringNum, index, driver.Size);
        SendRingState(FrontendRequest.SetVringBase, index, baseIndex);
        byte[] addresses = new byte[RingAddresses.SizeBytes];
        VhostUserCodec.WriteRingAddresses(addresses, new RingAddresses(
            index,
            0,
            new UserAddress(UserBase + driver.Layout.DescriptorTable.Value),
            new UserAddress(UserBase + driver.Layout.UsedRing.Value),
            new UserAddress(UserBase + driver.Layout.AvailableRing.Value)));
        Send(FrontendRequest.SetVringAddr, addresses);
        SendRingFd(FrontendRequest.SetVringCall, index, call);
        SendRingFd(FrontendRequest.SetVringKick, index, kick);
        SendRingState(FrontendRequest.SetVringEnable, index, 1);
    }

    public void SendRingFd(FrontendRequest request, uint index, int fd)
    {
        byte[] payload = new byte[RingEvent.SizeBytes];
        VhostUserCodec.WriteRingEvent(payload, new RingEvent((int)index, true));
        Send(request, payload, fd);
    }

    /// <summary>GET_VRING_BASE: stops the ring and tells where it stands.</summary>
    public uint StopRing(uint index)
    {
        byte[] payload = new byte[RingState.SizeBytes];
        VhostUserCodec.WriteRingState(payload, new RingState(index, 0));
        return VhostUserCodec.ReadRingState(Ask(FrontendRequest.GetVringBase, payload)).Value;
    }

    public byte[] GetConfig(uint lengthBytes)
    {
        byte[] payload = new byte[ConfigRange.SizeBytes + (int)lengthBytes];
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(0, lengthBytes, 0));
        return Ask(FrontendRequest.GetConfig, payload)[ConfigRange.SizeBytes..];
    }

    public void Dispose() => socket.Dispose();

    private byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        int have = 0;
        while (have < count)
        {
            _ = LinuxException.Check(Poll.Wait(socket.Number, PollEvents.Readable, ReplyTimeoutMilliseconds, out PollEvents found), "poll");
            int got = found == PollEvents.None ? -(int)Errno.ETIMEDOUT : FdIo.Read(socket.Number, bytes.AsSpan(have));
            if (LinuxException.Check(got, "receive from backend") == 0)
            {
                throw new EndOfStreamException("the backend closed its socket");
            }

            have += got;
        }

        return bytes;
    }
}
