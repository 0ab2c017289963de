using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>Packets as a driver sends them, a header and a frame: most nearly right, of either version of IP, some of them segments.</summary>
/// <param name="ownMac">The driver's address.</param>
internal sealed class PacketMaker(ulong ownMac)
{
    private const int EthernetBytes = 14;
    private const int MaxBytes = 2048;

    private readonly byte[] _packet = new byte[MaxBytes];

    /// <summary>The next packet; valid until the next call.</summary>
    /// <param name="input">What it is like.</param>
    /// <param name="serial">Stands in its first bytes, where nobody looks.</param>
    public ReadOnlySpan<byte> Make(ref InputReader input, uint serial)
    {
        bool six = input.OneIn(3);
        bool segment = input.OneIn(3);
        byte versionAndLength = input.OneIn(8) ? input.Byte() : six ? (byte)0x60 : (byte)(0x45 + (input.OneIn(8) ? 1 : 0));
        int start = EthernetBytes + (six ? 40 : 4 * (versionAndLength & 15));
        Span<byte> frame = _packet.AsSpan(NetHeader.SizeBytes);
        for (int index = 0; index < frame.Length; index++)
        {
            frame[index] = unchecked((byte)((serial * 29) + (uint)index));
        }

        if (!six && input.OneIn(2))
        {
            NetFlows.Put(frame, input.Below(NetFlows.Count));
        }

        Header(ref input, six, segment, start).Encode(_packet);
        BinaryPrimitives.WriteUInt32BigEndian(frame, serial);
        new MacAddress(input.OneIn(8) ? input.U64() & 0xFFFF_FFFF_FFFF : ownMac).Write(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], input.OneIn(8) ? input.U16() : six ? (ushort)0x86DD : (ushort)0x0800);
        frame[14] = versionAndLength;
        frame[six ? 20 : 23] = input.OneIn(4) ? (byte)17 : (byte)6;
        PutDestination(ref input, six, frame);
        frame[start + 12] = input.OneIn(4) ? input.Byte() : (byte)0x50;
        int length = input.OneIn(8) ? input.U16() % (MaxBytes - NetHeader.SizeBytes) : start + 20 + input.Below(40);
        return _packet.AsSpan(0, input.OneIn(16) ? input.Below(40) : NetHeader.SizeBytes + length);
    }

    /// <summary>The same packet once more under another number.</summary>
    public void Renumber(uint serial) => BinaryPrimitives.WriteUInt32BigEndian(_packet.AsSpan(NetHeader.SizeBytes), serial);

    private static NetHeader Header(ref InputReader input, bool six, bool segment, int start)
    {
        bool checksum = segment || input.OneIn(3);
        byte kind = input.OneIn(8) ? input.Byte() : !segment ? (byte)0 : (byte)((six != input.OneIn(8) ? 4 : 1) | (input.OneIn(3) ? 0x80 : 0));
        return new NetHeader(
            (NetHeaderFlags)(input.OneIn(8) ? input.Byte() : checksum ? (byte)1 : (byte)0),
            (NetSegmentation)kind,
            input.OneIn(4) ? input.U16() : (ushort)0,
            input.OneIn(8) ? input.U16() : segment ? (ushort)1460 : (ushort)0,
            input.OneIn(8) ? input.U16() : (ushort)start,
            input.OneIn(8) ? (ushort)input.Below(40) : (ushort)16,
            0);
    }

    // Sometimes one of the host's own.
    private static void PutDestination(ref InputReader input, bool six, Span<byte> frame)
    {
        if (!six)
        {
            bool own = input.OneIn(3);
            frame[30] = own ? input.Pick<byte>([0, 127, 169, 10]) : (byte)10;
            frame[31] = own && input.OneIn(2) ? (byte)254 : frame[31];
            return;
        }

        Span<byte> destination = frame.Slice(38, 16);
        if (input.OneIn(4))
        {
            destination[..(input.OneIn(2) ? 10 : 9)].Clear();
        }
    }
}
