using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>Files and fds before the runtime exists. Every method returns the negated error number when it fails.</summary>
public static unsafe class RawFile
{
    /// <summary>openat2(2) below <paramref name="directory"/>: no way out of it, no magic link, no other mount; close-on-exec.</summary>
    public static nint OpenBeneath(int directory, ReadOnlySpan<byte> path, int flags) =>
        Open(directory, path, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

    /// <summary>openat2(2) of an absolute path none of whose parts may be a link; close-on-exec.</summary>
    public static nint OpenWithoutLinks(ReadOnlySpan<byte> path, int flags) =>
        Open(AT_FDCWD, path, flags, RESOLVE_NO_SYMLINKS);

    /// <summary>f_type of the file system that holds an open file (fstatfs(2)).</summary>
    public static nint FileSystemType(int fd)
    {
        // SAFETY: struct statfs is 120 bytes on x86-64 and begins with f_type.
        nint* buffer = stackalloc nint[StatFsBytes / sizeof(nint)];
        nint result = Call(SYS_fstatfs, fd, (nint)buffer);
        return result < 0 ? result : buffer[0];
    }

    public static nint ReadAt(int fd, Span<byte> buffer, long offset)
    {
        // SAFETY: the kernel writes at most buffer.Length bytes.
        fixed (byte* pointer = buffer)
        {
            return Call(SYS_pread64, fd, (nint)pointer, buffer.Length, (nint)offset);
        }
    }

    /// <summary>Reads until the buffer is full or the file or stream ends; the count.</summary>
    public static nint ReadFull(int fd, Span<byte> buffer)
    {
        int count = 0;
        // SAFETY: the kernel writes at most what is left of buffer.
        fixed (byte* pointer = buffer)
        {
            while (count < buffer.Length)
            {
                nint result = Call(SYS_read, fd, (nint)(pointer + count), buffer.Length - count);
                if (result <= 0)
                {
                    return result < 0 ? result : count;
                }

                count += (int)result;
            }
        }

        return count;
    }

    public static nint Write(int fd, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the kernel reads at most buffer.Length bytes.
        fixed (byte* pointer = buffer)
        {
            return Call(SYS_write, fd, (nint)pointer, buffer.Length);
        }
    }

    /// <summary>read(2): may read less than asked; 0 is the end.</summary>
    public static nint Read(int fd, Span<byte> buffer)
    {
        // SAFETY: the kernel writes at most buffer.Length bytes.
        fixed (byte* pointer = buffer)
        {
            return Call(SYS_read, fd, (nint)pointer, buffer.Length);
        }
    }

    /// <summary>mkdirat(2) of one name in an open folder.</summary>
    public static nint MakeDirectory(int directory, ReadOnlySpan<byte> name, uint mode)
    {
        // SAFETY: a C string (checked); the kernel only reads it.
        fixed (byte* pointer = name)
        {
            return IsCString(name) ? Call(SYS_mkdirat, directory, (nint)pointer, (nint)mode) : -(nint)Errno.EINVAL;
        }
    }

    /// <summary>unlinkat(2) AT_REMOVEDIR of one name in an open folder.</summary>
    public static nint RemoveDirectory(int directory, ReadOnlySpan<byte> name)
    {
        // SAFETY: a C string (checked); the kernel only reads it.
        fixed (byte* pointer = name)
        {
            return IsCString(name) ? Call(SYS_unlinkat, directory, (nint)pointer, AT_REMOVEDIR) : -(nint)Errno.EINVAL;
        }
    }

    /// <summary>dup3(2): the same file under another number, close-on-exec.</summary>
    public static nint Duplicate(int fd, int number) => Call(SYS_dup3, fd, number, O_CLOEXEC);

    public static nint Close(int fd) => Call(SYS_close, fd);

    /// <summary>close_range(2): closes every open fd from <paramref name="first"/> to <paramref name="last"/>.</summary>
    public static nint CloseRange(int first, int last) => Call(SYS_close_range, first, last, 0);

    /// <summary>close_range(2) to the highest number: closes, or with <paramref name="atExec"/> marks close-on-exec.</summary>
    public static nint CloseFrom(int first, bool atExec) => Call(SYS_close_range, first, unchecked((nint)uint.MaxValue), atExec ? CLOSE_RANGE_CLOEXEC : 0);

    /// <summary>True when the other end of a pipe or socket is gone (POLLERR or POLLHUP), or cannot be asked.</summary>
    public static bool IsPeerGone(int pipe)
    {
        PollEntry entry = new() { Fd = pipe };
        // SAFETY: one struct pollfd; a time of zero: only the question.
        return Call(SYS_poll, (nint)(&entry), 1, 0) != 0;
    }

    private const int StatFsBytes = 120;

    private static nint Open(int directory, ReadOnlySpan<byte> path, int flags, int resolve)
    {
        if (!IsCString(path))
        {
            return -(nint)Errno.EINVAL;
        }

        ulong* how = stackalloc ulong[3]; // struct open_how: flags, mode, resolve
        how[0] = (uint)(flags | O_CLOEXEC);
        how[1] = 0;
        how[2] = (uint)resolve;
        // SAFETY: a C string and a whole struct open_how; the kernel only reads them.
        fixed (byte* pointer = path)
        {
            return Call(SYS_openat2, directory, (nint)pointer, (nint)how, 3 * sizeof(ulong));
        }
    }
}
