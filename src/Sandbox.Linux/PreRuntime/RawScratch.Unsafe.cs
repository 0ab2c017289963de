using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>
/// Memory in which the probe lays out what a system call points to, before the runtime exists. One mapping, handed out from
/// its start and never returned: a probe attempts one act and ends.
/// </summary>
internal static unsafe class RawScratch
{
    private const int Size = 64 * 1024;
    private const int Alignment = 16;

    private static nint _start;
    private static int _used;

    /// <summary>To be called once, before a filter could refuse it. Negative: the negated error number.</summary>
    internal static nint Create() => _start = Call(SYS_mmap, 0, Size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    /// <summary>Zeroed memory.</summary>
    internal static nint Reserve(int bytes)
    {
        if (bytes < 0 || bytes > Size - _used)
        {
            RawProcess.Exit(byte.MaxValue); // more than any act needs: a mistake of ours
        }

        nint address = _start + _used;
        _used = (_used + bytes + Alignment - 1) & -Alignment;
        return address;
    }

    internal static nint Put(scoped ReadOnlySpan<byte> bytes)
    {
        nint address = Reserve(bytes.Length);
        // SAFETY: Reserve gave that many bytes of our own mapping.
        bytes.CopyTo(new Span<byte>((void*)address, bytes.Length));
        return address;
    }

    internal static nint Put64(scoped ReadOnlySpan<ulong> words)
    {
        nint address = Reserve(words.Length * sizeof(ulong));
        // SAFETY: Reserve gave that many bytes of our own mapping, aligned to 16.
        words.CopyTo(new Span<ulong>((void*)address, words.Length));
        return address;
    }

    internal static nint Put32(scoped ReadOnlySpan<uint> words)
    {
        nint address = Reserve(words.Length * sizeof(uint));
        // SAFETY: Reserve gave that many bytes of our own mapping, aligned to 16.
        words.CopyTo(new Span<uint>((void*)address, words.Length));
        return address;
    }

    /// <summary>What a call wrote to memory that <see cref="Reserve"/> gave.</summary>
    internal static ReadOnlySpan<byte> Bytes(nint address, int count)
    {
        if (address < _start || count < 0 || address - _start > Size - count)
        {
            RawProcess.Exit(byte.MaxValue);
        }

        // SAFETY: inside our own mapping, which is never unmapped.
        return new ReadOnlySpan<byte>((void*)address, count);
    }
}
