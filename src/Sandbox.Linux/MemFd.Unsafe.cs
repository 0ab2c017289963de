using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>memfd_create(2): files without a name that vanish with their last user.</summary>
public static unsafe class MemFd
{
    private const uint NoExecSeal = 0x8; // MFD_NOEXEC_SEAL, Linux 6.3: not in Tmds.LibC
    private const uint CloseOnExec = 0x1;
    private const uint AllowSealing = 0x2;

    /// <summary>A file of <paramref name="sizeBytes"/> zero bytes that can neither grow, shrink nor be executed: guest memory.</summary>
    public static FdHandle CreateSealed(string name, long sizeBytes)
    {
        FdHandle file = Create(name);
        if (ftruncate(file.Number, sizeBytes) != 0)
        {
            Errno error = (Errno)errno;
            file.Dispose();
            throw new LinuxException($"ftruncate memfd {name} to {sizeBytes} bytes", error);
        }

        Seal(file, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
        return file;
    }

    /// <summary>A growable file in memory; give it to <see cref="SealContent"/> when it is complete.</summary>
    public static FdHandle Create(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name + '\0');
        // SAFETY: a NUL-terminated pinned name; the kernel only reads it.
        fixed (byte* pointer = bytes)
        {
            int fd = memfd_create(pointer, CloseOnExec | AllowSealing | NoExecSeal);
            if (fd < 0 && errno == EINVAL)
            {
                // Before Linux 6.3 the flag is unknown: F_SEAL_EXEC is not to be had there.
                fd = memfd_create(pointer, CloseOnExec | AllowSealing);
            }

            return fd >= 0 ? new FdHandle(fd) : throw new LinuxException($"memfd_create {name}", (Errno)errno);
        }
    }

    /// <summary>Nobody can change a byte of it any more, its holder included.</summary>
    public static void SealContent(FdHandle file) => Seal(file, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL);

    /// <summary>A second fd of it that can only read, for a process that is to do no more; the first is closed.</summary>
    public static FdHandle ReopenReadOnly(FdHandle file)
    {
        using (file)
        {
            return FileOpen.Read($"/proc/self/fd/{file.Number}");
        }
    }

    private static void Seal(FdHandle file, int seals)
    {
        if (fcntl(file.Number, F_ADD_SEALS, seals) != 0)
        {
            throw new LinuxException("fcntl F_ADD_SEALS", (Errno)errno);
        }
    }
}
