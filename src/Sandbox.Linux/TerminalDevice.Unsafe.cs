using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>The terminal that an operator sits at (termios(3)). The fd is borrowed.</summary>
public static unsafe class TerminalDevice
{
    private const int ModeBytes = 60; // sizeof(struct termios)
    private const int AfterOutput = 1; // TCSADRAIN
    private const int GetSize = 0x5413; // TIOCGWINSZ

    /// <summary>Its mode, to be given back to <see cref="Restore"/>; null when the fd is no terminal.</summary>
    public static byte[]? ModeOf(int fd)
    {
        byte[] mode = new byte[ModeBytes];
        fixed (byte* pointer = mode) // SAFETY: as long as struct termios; glibc writes no more.
        {
            return tcgetattr(fd, pointer) == 0 ? mode : null;
        }
    }

    /// <summary>Every key goes through as it is, and so does every byte of output. 0, or the negated error number.</summary>
    public static int SetRaw(int fd, ReadOnlySpan<byte> mode)
    {
        Span<byte> raw = stackalloc byte[ModeBytes];
        mode.CopyTo(raw);
        fixed (byte* pointer = raw) // SAFETY: as in ModeOf.
        {
            cfmakeraw(pointer);
        }

        return Restore(fd, raw);
    }

    /// <summary>Sets a mode. 0, or the negated error number.</summary>
    public static int Restore(int fd, ReadOnlySpan<byte> mode)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mode.Length, ModeBytes);
        fixed (byte* pointer = mode) // SAFETY: as in ModeOf; glibc reads it.
        {
            return tcsetattr(fd, AfterOutput, pointer) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Its size in characters; false when the fd is no terminal.</summary>
    public static bool TryGetSize(int fd, out ushort rows, out ushort columns)
    {
        ushort* size = stackalloc ushort[4];
        bool known = ioctl(fd, GetSize, size) == 0; // SAFETY: struct winsize is four half-words.
        (rows, columns) = known ? (size[0], size[1]) : ((ushort)0, (ushort)0);
        return known;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int tcgetattr(int fd, void* mode);

    [DllImport("libc", SetLastError = true)]
    private static extern int tcsetattr(int fd, int when, void* mode);

    [DllImport("libc")]
    private static extern void cfmakeraw(void* mode);
}
