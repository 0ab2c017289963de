using System.Text;
using Tmds.Linux;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Opens files by path. Only the launcher side (library, tests, guest init) may call it: a VMM or device process opens nothing.</summary>
public static unsafe class FileOpen
{
    /// <summary>O_RDONLY, O_CLOEXEC.</summary>
    public static FdHandle Read(string path) => Open(path, O_RDONLY, 0);

    /// <summary>O_RDWR, O_CLOEXEC.</summary>
    public static FdHandle ReadWrite(string path) => Open(path, O_RDWR, 0);

    /// <summary>
    /// A file that an operator named, links followed. O_NONBLOCK, so that a FIFO in its place cannot hold the caller for ever, and O_NOCTTY, so that
    /// no terminal becomes the caller's: what it is, is looked at once it is open. Neither changes anything for regular files and block devices.
    /// </summary>
    public static FdHandle Named(string path, bool writable, bool direct) =>
        Open(path, (writable ? O_RDWR : O_RDONLY) | (direct ? Abi.Constants.O_DIRECT : 0) | O_NONBLOCK | O_NOCTTY, 0);

    /// <summary>
    /// A file in an open folder, for reading, never outside of it and never by a link (openat2(2), RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS): for a
    /// folder whose content a stranger may have prepared.
    /// </summary>
    /// <exception cref="LinuxException">The open failed; ELOOP: there is a link.</exception>
    public static FdHandle Beneath(FdHandle folder, string name)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ulong* how = stackalloc ulong[3]; // struct open_how: flags, mode, resolve
        how[0] = (uint)(O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        how[1] = 0;
        how[2] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        // SAFETY: a NUL-terminated pinned path and a whole struct open_how; the kernel only reads them.
        fixed (byte* pointer = Encoding.UTF8.GetBytes(name + '\0'))
        {
            nint fd = SystemCall(SYS_openat2, folder.Number, (nint)pointer, (nint)how, 3 * sizeof(ulong), 0, 0);
            return fd >= 0 ? new FdHandle((int)fd) : throw new LinuxException($"open {name} beneath its folder", (Errno)errno);
        }
    }

    /// <summary>A folder, links followed.</summary>
    public static FdHandle Folder(string path) => Open(path, O_RDONLY | O_DIRECTORY, 0);

    /// <summary>O_WRONLY, O_CLOEXEC.</summary>
    public static FdHandle Write(string path) => Open(path, O_WRONLY, 0);

    /// <summary>open(2) with O_CLOEXEC added.</summary>
    /// <exception cref="LinuxException">The open failed; the operation names the path.</exception>
    public static FdHandle Open(string path, int flags, uint mode)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path + '\0');
        // SAFETY: a NUL-terminated pinned path; the kernel only reads it.
        fixed (byte* pointer = bytes)
        {
            int fd = open(pointer, flags | O_CLOEXEC, (mode_t)mode);
            return fd >= 0 ? new FdHandle(fd) : throw new LinuxException($"open {path}", (Errno)errno);
        }
    }
}
