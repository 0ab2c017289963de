using System.Runtime.CompilerServices;

namespace Sandbox.Memory;

/// <summary>
/// A bounds-checked window on guest memory. The guest may change any byte at any time, so nothing here hands out a reference
/// or span: bytes are copied out once and the copy is used. Valid while the <see cref="GuestMemory"/> it came from is alive:
/// the holder drops its slices before it replaces the memory table.
/// </summary>
public readonly unsafe partial struct GuestSlice
{
    private readonly byte* _address;

    internal GuestSlice(byte* address, uint lengthBytes)
    {
        _address = address;
        LengthBytes = lengthBytes;
    }

    public uint LengthBytes { get; }

    /// <summary>The host address, for the vectored file I/O of this assembly only.</summary>
    internal byte* Address => _address;

    /// <summary>A part of this slice. Out of range is our own bug.</summary>
    public GuestSlice Slice(uint offset, uint lengthBytes)
    {
        Require(offset, lengthBytes);
        return new GuestSlice(_address + offset, lengthBytes); // SAFETY: inside this slice, just checked.
    }

    /// <summary>Copies bytes out of guest memory, each once.</summary>
    public void CopyTo(uint offset, Span<byte> destination)
    {
        Require(offset, (uint)destination.Length);
        Touched((ulong)_address + offset, (uint)destination.Length, writes: false);
        // SAFETY: range just checked; the destination is not guest memory. A plain copy reads each byte once or tears, both harmless: the copy is validated after.
        fixed (byte* target = destination)
        {
            Buffer.MemoryCopy(_address + offset, target, destination.Length, destination.Length);
        }
    }

    /// <summary>Copies bytes into guest memory.</summary>
    public void CopyFrom(uint offset, ReadOnlySpan<byte> source)
    {
        Require(offset, (uint)source.Length);
        Touched((ulong)_address + offset, (uint)source.Length, writes: true);
        // SAFETY: range just checked; the source is not guest memory.
        fixed (byte* origin = source)
        {
            Buffer.MemoryCopy(origin, _address + offset, source.Length, source.Length);
        }
    }

    /// <summary>Fills with zero bytes.</summary>
    public void Clear()
    {
        Touched((ulong)_address, LengthBytes, writes: true);
        Unsafe.InitBlockUnaligned(_address, 0, LengthBytes); // SAFETY: exactly this slice.
    }

    /// <summary>One aligned 16-bit read with acquire order (a ring index: a byte-wise copy could tear).</summary>
    public ushort ReadUInt16Acquire(uint offset) => Volatile.Read(ref *(ushort*)Aligned(offset, sizeof(ushort), writes: false)); // SAFETY: checked by Aligned.

    /// <summary>One aligned 16-bit write with release order: everything written before is seen by a guest that sees this.</summary>
    public void WriteUInt16Release(uint offset, ushort value) => Volatile.Write(ref *(ushort*)Aligned(offset, sizeof(ushort), writes: true), value); // SAFETY: checked by Aligned.

    /// <summary>One aligned 32-bit read with acquire order.</summary>
    public uint ReadUInt32Acquire(uint offset) => Volatile.Read(ref *(uint*)Aligned(offset, sizeof(uint), writes: false)); // SAFETY: checked by Aligned.

    /// <summary>One aligned 32-bit write with release order.</summary>
    public void WriteUInt32Release(uint offset, uint value) => Volatile.Write(ref *(uint*)Aligned(offset, sizeof(uint), writes: true), value); // SAFETY: checked by Aligned.

    /// <summary>One aligned 64-bit read with acquire order.</summary>
    public ulong ReadUInt64Acquire(uint offset) => Volatile.Read(ref *(ulong*)Aligned(offset, sizeof(ulong), writes: false)); // SAFETY: checked by Aligned.

    /// <summary>One aligned 64-bit write with release order.</summary>
    public void WriteUInt64Release(uint offset, ulong value) => Volatile.Write(ref *(ulong*)Aligned(offset, sizeof(ulong), writes: true), value); // SAFETY: checked by Aligned.

    /// <summary>Told of every access before it is made. Nobody implements it in what is shipped, so the compiler drops the calls; Watched/ does, for the fuzzer.</summary>
    static partial void Touched(ulong hostAddress, ulong lengthBytes, bool writes);

    private byte* Aligned(uint offset, uint size, bool writes)
    {
        Require(offset, size);
        Touched((ulong)_address + offset, size, writes);
        byte* address = _address + offset;
        if (((ulong)address & (size - 1)) != 0)
        {
            throw new InvalidOperationException("unaligned access to guest memory: alignment is checked when a ring is set up");
        }

        return address;
    }

    private void Require(uint offset, uint lengthBytes)
    {
        if (offset > LengthBytes || lengthBytes > LengthBytes - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), "outside the slice of guest memory");
        }
    }
}
