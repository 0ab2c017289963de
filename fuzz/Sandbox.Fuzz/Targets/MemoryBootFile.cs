using Sandbox.Boot;
using Sandbox.Memory;

namespace Sandbox.Fuzz.Targets;

/// <summary>A kernel or initial RAM disk in an array.</summary>
internal sealed class MemoryBootFile : IBootFile
{
    private byte[] _content = [];
    private int _length;

    public ulong LengthBytes => (ulong)_length;

    /// <summary>Reads asked for: what a file can make a loader do.</summary>
    public int Reads { get; private set; }

    public ReadOnlySpan<byte> Content => _content.AsSpan(0, _length);

    public void Set(byte[] content, int length)
    {
        _content = content;
        _length = length;
        Reads = 0;
    }

    public bool TryRead(ulong offset, Span<byte> destination)
    {
        Reads++;
        if (offset > LengthBytes || (ulong)destination.Length > LengthBytes - offset)
        {
            return false;
        }

        _content.AsSpan((int)offset, destination.Length).CopyTo(destination);
        return true;
    }

    public bool TryCopyTo(ulong offset, GuestSlice destination)
    {
        Reads++;
        if (offset > LengthBytes || destination.LengthBytes > LengthBytes - offset)
        {
            return false;
        }

        destination.CopyFrom(0, _content.AsSpan((int)offset, (int)destination.LengthBytes));
        return true;
    }
}
