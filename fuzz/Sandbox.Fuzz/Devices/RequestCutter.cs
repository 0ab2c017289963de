using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Devices;

/// <summary>Puts a request into guest memory and cuts it into buffers: how it is cut means nothing to a device (virtio 1.2 §2.7.4.1).</summary>
internal sealed class RequestCutter(FuzzGuest guest)
{
    private const int MaxBuffers = 12;

    private readonly FuzzBuffer[] _buffers = new FuzzBuffer[2 * MaxBuffers];
    private int _count;

    public ReadOnlySpan<FuzzBuffer> Buffers => _buffers.AsSpan(0, _count);

    /// <summary>The last request's readable and writable bytes as the driver laid them out.</summary>
    public uint ReadableBytes { get; private set; }

    public uint WritableBytes { get; private set; }

    public void Begin()
    {
        _count = 0;
        ReadableBytes = 0;
        WritableBytes = 0;
    }

    /// <summary>Appends device-readable bytes; false when guest memory is used up.</summary>
    public bool TryAddReadable(ref InputReader input, scoped ReadOnlySpan<byte> content)
    {
        int start = 0;
        for (int piece = 0; start < content.Length && piece < MaxBuffers; piece++)
        {
            int length = Cut(ref input, content.Length - start, piece);
            if (!guest.TryAllocate((uint)length, 1, ByteUse.Read, out ulong address))
            {
                return false;
            }

            guest.Write(address, content.Slice(start, length));
            _buffers[_count++] = new FuzzBuffer(address, (uint)length, false);
            start += length;
        }

        ReadableBytes += (uint)content.Length;
        return true;
    }

    /// <summary>Appends room for the device to write into.</summary>
    public bool TryAddWritable(ref InputReader input, int lengthBytes)
    {
        int start = 0;
        for (int piece = 0; start < lengthBytes && piece < MaxBuffers; piece++)
        {
            int length = Cut(ref input, lengthBytes - start, piece);
            if (!guest.TryAllocate((uint)length, 1, ByteUse.Write, out ulong address))
            {
                return false;
            }

            _buffers[_count++] = new FuzzBuffer(address, (uint)length, true);
            start += length;
        }

        WritableBytes += (uint)lengthBytes;
        return true;
    }

    /// <summary>The driver reads the writable part from an offset on.</summary>
    public static void ReadWritable(FuzzGuest guest, ReadOnlySpan<FuzzBuffer> buffers, int offset, Span<byte> bytes)
    {
        foreach (FuzzBuffer buffer in buffers)
        {
            if (!buffer.DeviceWrites)
            {
                continue;
            }

            if (offset >= buffer.LengthBytes)
            {
                offset -= (int)buffer.LengthBytes;
                continue;
            }

            int count = Math.Min(bytes.Length, (int)buffer.LengthBytes - offset);
            guest.Read(buffer.Address + (ulong)offset, bytes[..count]);
            bytes = bytes[count..];
            offset = 0;
            if (bytes.IsEmpty)
            {
                return;
            }
        }
    }

    // Mostly whole; sometimes in small pieces. The last piece takes what is left.
    private static int Cut(ref InputReader input, int left, int piece) =>
        piece == MaxBuffers - 1 || !input.OneIn(4) ? left : Math.Min(left, 1 + (input.OneIn(3) ? input.U16() % 2048 : input.Below(32)));
}
