using Tmds.Linux;

namespace Sandbox.Memory;

/// <summary>
/// A reusable list of windows on guest memory, consumed from the front: the buffers of one request, or what is left of them.
/// Allocates in its constructor only. Valid like the slices it holds: empty it before the memory table changes.
/// </summary>
public sealed unsafe partial class GuestVector
{
    /// <summary>IOV_MAX: more segments than this the kernel refuses in one call.</summary>
    public const int MaxCapacity = 1024;

    private readonly iovec[] _segments;
    private readonly int _start;
    private readonly int _limit;
    private int _first;
    private int _end;

    /// <param name="capacity">The most segments it holds, 1 to <see cref="MaxCapacity"/>.</param>
    public GuestVector(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        _segments = new iovec[capacity];
        _limit = capacity;
    }

    private GuestVector(iovec[] segments, int start, int limit)
    {
        _segments = segments;
        _start = start;
        _limit = limit;
        _first = start;
        _end = start;
    }

    /// <summary>Several with a common store, which is not cleared: a page of it that no segment ever reached is no memory of this process.</summary>
    public static GuestVector[] CreateMany(int count, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        iovec[] segments = GC.AllocateUninitializedArray<iovec>(count * capacity);
        GuestVector[] vectors = new GuestVector[count];
        for (int index = 0; index < count; index++)
        {
            vectors[index] = new GuestVector(segments, index * capacity, (index + 1) * capacity);
        }

        return vectors;
    }

    /// <summary>Bytes left.</summary>
    public ulong LengthBytes { get; private set; }

    public bool IsEmpty => LengthBytes == 0;

    /// <summary>Segments left.</summary>
    public int SegmentCount => _end - _first;

    /// <summary>Forgets every segment.</summary>
    public void Clear()
    {
        _first = _start;
        _end = _start;
        LengthBytes = 0;
    }

    /// <summary>Appends a window; false when full. An empty window needs no room.</summary>
    public bool TryAdd(GuestSlice slice)
    {
        if (slice.LengthBytes == 0)
        {
            return true;
        }

        if (_end == _limit)
        {
            return false;
        }

        ref iovec segment = ref _segments[_end++];
        segment.iov_base = slice.Address;
        segment.iov_len = (size_t)slice.LengthBytes;
        LengthBytes += slice.LengthBytes;
        return true;
    }

    /// <summary>Drops bytes from the front, as after a short read or write. More than there is, is our own bug.</summary>
    public void Advance(ulong bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, LengthBytes);
        LengthBytes -= bytes;
        while (bytes != 0)
        {
            ref iovec segment = ref _segments[_first];
            ulong length = (ulong)segment.iov_len;
            if (bytes < length)
            {
                segment.iov_base = (byte*)segment.iov_base + bytes; // SAFETY: stays inside the segment.
                segment.iov_len = (size_t)(length - bytes);
                return;
            }

            bytes -= length;
            _first++;
        }
    }

    /// <summary>Drops bytes from the back until at most <paramref name="bytes"/> are left.</summary>
    public void LimitTo(ulong bytes)
    {
        while (LengthBytes > bytes)
        {
            ref iovec segment = ref _segments[_end - 1];
            ulong length = (ulong)segment.iov_len;
            ulong excess = LengthBytes - bytes;
            if (excess < length)
            {
                segment.iov_len = (size_t)(length - excess);
                LengthBytes = bytes;
                return;
            }

            _end--;
            LengthBytes -= length;
        }
    }

    /// <summary>Takes the last byte off as a window of its own (a status byte); false when nothing is left.</summary>
    public bool TrySplitLastByte(out GuestSlice last)
    {
        if (IsEmpty)
        {
            last = default;
            return false;
        }

        ref readonly iovec segment = ref _segments[_end - 1];
        // SAFETY: a segment is never empty, so its last byte exists.
        last = new GuestSlice((byte*)segment.iov_base + ((ulong)segment.iov_len - 1), 1);
        LimitTo(LengthBytes - 1);
        return true;
    }

    /// <summary>Moves the next bytes, as windows, to the end of another list (a header, to be written after what follows it); false, with both unchanged, where there are too few bytes or too little room.</summary>
    public bool TryMoveTo(GuestVector target, ulong bytes)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (bytes > LengthBytes || target._limit - target._end < SegmentCount)
        {
            return false;
        }

        while (bytes != 0)
        {
            GuestSlice front = Front(bytes);
            _ = target.TryAdd(front); // there is room for every segment of this list
            Advance(front.LengthBytes);
            bytes -= front.LengthBytes;
        }

        return true;
    }

    /// <summary>Copies the next bytes out, each once, and drops them; false, with nothing done, where there are too few.</summary>
    public bool TryTake(Span<byte> destination)
    {
        if ((ulong)destination.Length > LengthBytes)
        {
            return false;
        }

        while (!destination.IsEmpty)
        {
            GuestSlice front = Front((ulong)destination.Length);
            int count = (int)front.LengthBytes;
            front.CopyTo(0, destination[..count]);
            Advance(front.LengthBytes);
            destination = destination[count..];
        }

        return true;
    }

    /// <summary>Copies bytes into the next guest bytes and drops those; false, with nothing done, where there is too little room.</summary>
    public bool TryPut(ReadOnlySpan<byte> source)
    {
        if ((ulong)source.Length > LengthBytes)
        {
            return false;
        }

        while (!source.IsEmpty)
        {
            GuestSlice front = Front((ulong)source.Length);
            int count = (int)front.LengthBytes;
            front.CopyFrom(0, source[..count]);
            Advance(front.LengthBytes);
            source = source[count..];
        }

        return true;
    }

    /// <summary>Told before the kernel reads or writes the segments left; dropped from what is shipped, as <see cref="GuestSlice"/> says.</summary>
    partial void TouchedByKernel(bool writes);

    private GuestSlice Front(ulong atMostBytes)
    {
        ref readonly iovec segment = ref _segments[_first];
        // SAFETY: the segment came from a slice and only shrank since.
        return new GuestSlice((byte*)segment.iov_base, (uint)Math.Min((ulong)segment.iov_len, atMostBytes));
    }
}
