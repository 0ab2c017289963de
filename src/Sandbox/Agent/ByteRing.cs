using Sandbox.Control.Agent;

namespace Sandbox.Agent;

/// <summary>
/// Received bytes of one stream that nobody has read yet. It grows with what arrives, up to the window to which
/// the session holds the guest: more can never be in it.
/// </summary>
internal sealed class ByteRing
{
    private const int FirstBytes = 4096;

    private byte[] _bytes = [];
    private int _start;

    public int Count { get; private set; }

    public void Write(ReadOnlySpan<byte> data)
    {
        if (Count + data.Length > _bytes.Length)
        {
            Grow(Count + data.Length);
        }

        int end = (_start + Count) % _bytes.Length;
        int first = Math.Min(data.Length, _bytes.Length - end);
        data[..first].CopyTo(_bytes.AsSpan(end));
        data[first..].CopyTo(_bytes);
        Count += data.Length;
    }

    /// <summary>Moves as much as there is and fits; returns the count.</summary>
    public int Read(Span<byte> destination)
    {
        int count = Math.Min(Count, destination.Length);
        int first = Math.Min(count, _bytes.Length - _start);
        _bytes.AsSpan(_start, first).CopyTo(destination);
        _bytes.AsSpan(0, count - first).CopyTo(destination[first..]);
        Count -= count;
        _start = Count == 0 ? 0 : (_start + count) % _bytes.Length;
        return count;
    }

    /// <summary>Forgets everything and the memory with it; returns how many bytes that were.</summary>
    public int Clear()
    {
        int count = Count;
        _bytes = [];
        _start = 0;
        Count = 0;
        return count;
    }

    private void Grow(int needed)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(needed, AgentLimits.StreamWindowBytes);
        int size = Math.Max(FirstBytes, _bytes.Length);
        while (size < needed)
        {
            size *= 2;
        }

        byte[] larger = new byte[size];
        int count = Count;
        _ = Read(larger);
        _bytes = larger;
        _start = 0;
        Count = count;
    }
}
