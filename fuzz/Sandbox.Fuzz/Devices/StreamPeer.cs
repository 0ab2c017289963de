using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>The program behind a stream: each frame follows its length, and goes and comes in pieces of any size.</summary>
internal sealed class StreamPeer(byte habit, FramesFromGuest fromGuest, FramesToGuest toGuest)
    : NetPeer(UnixSocket.CreatePair(), habit, fromGuest, toGuest)
{
    private const int PrefixBytes = 4;
    private const int BytesOfAppetite = 8;

    private readonly byte[] _fromDevice = GC.AllocateUninitializedArray<byte>(1 << 17);
    private readonly byte[] _toDevice = new byte[1 << 14];
    private int _fromDeviceBytes;
    private int _toDeviceBytes;
    private int _pieceBytes = int.MaxValue;

    public override void Write()
    {
        int count = Math.Min(_toDeviceBytes, _pieceBytes);
        int sent = count == 0 ? 0 : Math.Max(0, UnixSocket.Send(Fd, _toDevice.AsSpan(0, count), []));
        _toDeviceBytes -= sent;
        _toDevice.AsSpan(sent, _toDeviceBytes).CopyTo(_toDevice);
    }

    protected override void Read(int limit)
    {
        for (int left = limit < int.MaxValue ? BytesOfAppetite * limit : int.MaxValue; left != 0;)
        {
            Span<byte> room = _fromDevice.AsSpan(_fromDeviceBytes);
            int count = FdIo.Read(Fd, room[..Math.Min(room.Length, left)]);
            if (count <= 0)
            {
                break;
            }

            left -= count;
            _fromDeviceBytes += count;
            TakeFrames();
        }

        Reached.Note(75, Math.Min(_fromDeviceBytes, PrefixBytes));
    }

    protected override void ChangeHabit(ref InputReader input) => _pieceBytes = input.OneIn(3) ? int.MaxValue : 1 + (input.OneIn(2) ? input.Byte() : input.Below(8));

    protected override void WriteFrame(ref InputReader input)
    {
        int length = PutFrame(ref input, PrefixBytes);
        uint claimed = input.OneIn(40) ? input.Edge32() : (uint)length;
        BinaryPrimitives.WriteUInt32BigEndian(Scratch, claimed);
        if (input.OneIn(2))
        {
            NetFlows.Put(Scratch.AsSpan(PrefixBytes, length), input.Below(NetFlows.Count));
        }

        if (PrefixBytes + length > _toDevice.Length - _toDeviceBytes)
        {
            return; // the device has not read for long
        }

        Scratch.AsSpan(0, PrefixBytes + length).CopyTo(_toDevice.AsSpan(_toDeviceBytes));
        _toDeviceBytes += PrefixBytes + length;
        ToGuest.Lied |= claimed != length;
        ToGuest.Written(new NetHeader(NetHeaderFlags.ChecksumValid, NetSegmentation.None, 0, 0, 0, 0, 0), Scratch.AsSpan(PrefixBytes, length));
        Write();
    }

    private void TakeFrames()
    {
        int at = 0;
        while (_fromDeviceBytes - at >= PrefixBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(_fromDevice.AsSpan(at));
            if (length is < 14 or > 14 + 4 + 65535)
            {
                throw new FindingException($"net: a frame of {length} bytes left");
            }

            if (_fromDeviceBytes - at < PrefixBytes + (int)length)
            {
                break;
            }

            FromGuest.Left(default, _fromDevice.AsSpan(at + PrefixBytes, (int)length));
            at += PrefixBytes + (int)length;
        }

        _fromDeviceBytes -= at;
        _fromDevice.AsSpan(at, _fromDeviceBytes).CopyTo(_fromDevice);
    }
}
