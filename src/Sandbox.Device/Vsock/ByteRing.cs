using System.Numerics;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Device.Vsock;

/// <summary>A bounded first-in first-out buffer between guest and socket. Its size is what the guest is told, so a guest that keeps to its credit never overruns it.</summary>
internal sealed class ByteRing
{
    private readonly byte[] _store;
    private readonly int _place;
    private readonly int _capacity;
    private uint _written;
    private uint _read;

    /// <param name="capacityBytes">A power of two.</param>
    public ByteRing(int capacityBytes)
        : this(NewStore(capacityBytes), 0, capacityBytes)
    {
    }

    /// <param name="store">Of many rings.</param>
    /// <param name="place">Where this one's bytes begin.</param>
    /// <param name="capacityBytes">A power of two.</param>
    public ByteRing(byte[] store, int place, int capacityBytes)
    {
        if (!BitOperations.IsPow2(capacityBytes) || place > store.Length - capacityBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(capacityBytes));
        }

        (_store, _place, _capacity) = (store, place, capacityBytes);
    }

    /// <summary>Bytes for rings. Pages that nobody wrote to cost nothing, so they are not cleared; and the runtime touches some of each object, so many rings have one.</summary>
    public static byte[] NewStore(int bytes) => GC.AllocateUninitializedArray<byte>(bytes);

    public int Count => (int)unchecked(_written - _read);

    public int Room => _capacity - Count;

    /// <summary>Takes everything that is left of a packet; the caller has compared it with <see cref="Room"/>.</summary>
    public void Take(GuestVector packet)
    {
        while (!packet.IsEmpty)
        {
            int start = (int)(_written & (uint)(_capacity - 1));
            int count = (int)Math.Min(packet.LengthBytes, (ulong)Math.Min(Room, _capacity - start));
            if (count == 0 || !packet.TryTake(_store.AsSpan(_place + start, count)))
            {
                throw new InvalidOperationException("a packet larger than the room left");
            }

            _written = unchecked(_written + (uint)count);
        }
    }

    /// <summary>Sends from the front, once: the count, or the negated error number.</summary>
    public int SendTo(int socket)
    {
        int start = (int)(_read & (uint)(_capacity - 1));
        int count = UnixSocket.Send(socket, _store.AsSpan(_place + start, Math.Min(Count, _capacity - start)), []);
        if (count > 0)
        {
            _read = unchecked(_read + (uint)count);
            if (_read == _written)
            {
                Clear(); // the next byte goes where pages have been touched already
            }
        }

        return count;
    }

    public void Clear() => _read = _written = 0;
}
