using Sandbox.Fuzz.Engine;
using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>A host kernel behind a tap interface: each read and each write is a frame with its header.</summary>
internal sealed class TapPeer(byte habit, FramesFromGuest fromGuest, FramesToGuest toGuest)
    : NetPeer(PacketPair.Create(), habit, fromGuest, toGuest)
{
    private readonly byte[] _fromDevice = GC.AllocateUninitializedArray<byte>(1 << 17);

    protected override void Read(int limit)
    {
        for (int count; limit != 0 && (count = FdIo.Read(Fd, _fromDevice)) > 0; limit--)
        {
            if (count < NetHeader.SizeBytes + 14)
            {
                throw new FindingException($"tap: a packet of {count} bytes left");
            }

            FromGuest.Left(NetHeader.Decode(_fromDevice), _fromDevice.AsSpan(NetHeader.SizeBytes, count - NetHeader.SizeBytes));
        }
    }

    // Headers as a host kernel writes them, and some that none does.
    protected override void WriteFrame(ref InputReader input)
    {
        int length = PutFrame(ref input, NetHeader.SizeBytes);
        bool offloaded = input.OneIn(4);
        NetSegmentation kind = input.OneIn(4) ? (NetSegmentation)input.Byte() : input.Pick<NetSegmentation>([NetSegmentation.None, NetSegmentation.Tcp4, NetSegmentation.Tcp6]);
        NetHeader header = offloaded
            ? new NetHeader(
                input.OneIn(4) ? (NetHeaderFlags)input.Byte() : NetHeaderFlags.NeedsChecksum,
                kind,
                input.U16(), input.U16(), input.OneIn(4) ? input.U16() : (ushort)input.Below(length), (ushort)input.Below(20), input.U16())
            : default;
        header.Encode(Scratch);
        if (UnixSocket.Send(Fd, Scratch.AsSpan(0, NetHeader.SizeBytes + length), []) == NetHeader.SizeBytes + length)
        {
            ToGuest.Written(header, Scratch.AsSpan(NetHeader.SizeBytes, length));
        }
    }
}
