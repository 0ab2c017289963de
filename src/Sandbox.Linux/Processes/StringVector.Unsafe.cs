using System.Text;

namespace Sandbox.Linux;

/// <summary>A NULL-terminated vector of C strings (argv, envp) in memory that the collector does not move.</summary>
internal sealed unsafe class StringVector
{
    private readonly byte[] _text;
    private readonly nint[] _pointers;

    internal StringVector(IReadOnlyList<string> strings)
    {
        int bytes = 0;
        foreach (string text in strings)
        {
            if (text.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException("A C string cannot hold a NUL.", nameof(strings));
            }

            bytes += Encoding.UTF8.GetByteCount(text) + 1;
        }

        _text = GC.AllocateArray<byte>(Math.Max(bytes, 1), pinned: true);
        _pointers = GC.AllocateArray<nint>(strings.Count + 1, pinned: true);
        int offset = 0;
        // SAFETY: both arrays are pinned for their life; each pointer stays inside _text, whose bytes after a string are zero.
        fixed (byte* start = _text)
        {
            for (int index = 0; index < strings.Count; index++)
            {
                _pointers[index] = (nint)(start + offset);
                offset += Encoding.UTF8.GetBytes(strings[index], _text.AsSpan(offset)) + 1;
            }
        }
    }

    /// <summary>The vector; good while this object is alive (GC.KeepAlive after the call).</summary>
    internal byte** Pointer
    {
        get
        {
            // SAFETY: the array is pinned for its life.
            fixed (nint* pointer = _pointers)
            {
                return (byte**)pointer;
            }
        }
    }
}
