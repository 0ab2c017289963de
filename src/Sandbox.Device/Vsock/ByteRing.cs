using System.Numerics;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Device.Vsock;

/// <summary>A bounded first-in first-out buffer between guest and socket. Its size is what the guest is told, so a guest that keeps to its credit never overruns it.</summary>
internal sealed class ByteRing
{
    private readonly byte[] _bytes;
    private uint _written;
    private uint _read;

    /// <param name="capacityBytes">A power of two.</param>
    public ByteRing(int capacityBytes)
    {
        if (!BitOperations.IsPow2(capacityBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(capacityBytes));
        }

        _bytes = new byte[capacityBytes];
    }

    public int Count => (int)unchecked(_written - _read);

    public int Room => _bytes.Length - Count;

    /// <summary>Takes everything that is left of a packet; the caller has compared it with <see cref="Room"/>.</summary>
    public void Take(GuestVector packet)
    {
        while (!packet.IsEmpty)
        {
            int start = (int)(_written & (uint)(_bytes.Length - 1));
            int count = (int)Math.Min(packet.LengthBytes, (ulong)Math.Min(Room, _bytes.Length - start));
            if (count == 0 || !packet.TryTake(_bytes.AsSpan(start, count)))
            {
                throw new InvalidOperationException("a packet larger than the room left");
            }

            _written = unchecked(_written + (uint)count);
        }
    }

    /// <summary>Sends from the front, once: the count, or the negated error number.</summary>
    public int SendTo(int socket)
    {
        int start = (int)(_read & (uint)(_bytes.Length - 1));
        int count = UnixSocket.Send(socket, _bytes.AsSpan(start, Math.Min(Count, _bytes.Length - start)), []);
        if (count > 0)
        {
            _read = unchecked(_read + (uint)count);
        }

        return count;
    }

    public void Clear() => _read = _written;
}
