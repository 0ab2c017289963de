using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Opens files by path. Only the launcher side (library, tests, guest init) may call it: a VMM or device process opens nothing.</summary>
public static unsafe class FileOpen
{
    /// <summary>O_RDONLY, O_CLOEXEC.</summary>
    public static FdHandle Read(string path) => Open(path, O_RDONLY, 0);

    /// <summary>O_RDWR, O_CLOEXEC.</summary>
    public static FdHandle ReadWrite(string path) => Open(path, O_RDWR, 0);

    /// <summary>O_DIRECT: past the page cache.</summary>
    public static FdHandle Direct(string path, bool writable) => Open(path, (writable ? O_RDWR : O_RDONLY) | Abi.Constants.O_DIRECT, 0);

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
