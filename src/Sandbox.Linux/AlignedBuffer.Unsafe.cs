namespace Sandbox.Linux;

/// <summary>Bytes that begin at a multiple of their alignment and never move: what O_DIRECT demands (open(2)). Allocated once.</summary>
/// <param name="lengthBytes">Length.</param>
/// <param name="alignment">A power of two.</param>
public sealed unsafe class AlignedBuffer(int lengthBytes, int alignment)
{
    private readonly byte[] _memory = GC.AllocateUninitializedArray<byte>(lengthBytes + alignment, pinned: true);

    /// <summary>All of it.</summary>
    public Span<byte> Bytes
    {
        get
        {
            // SAFETY: the array is pinned for its life, so its address is a number that stays true; only the number is used.
            fixed (byte* start = _memory)
            {
                int skip = (int)(unchecked(0 - (nuint)start) & (nuint)(alignment - 1));
                return _memory.AsSpan(skip, lengthBytes);
            }
        }
    }
}
