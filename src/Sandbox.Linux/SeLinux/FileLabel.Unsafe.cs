using System.Text;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux.SeLinux;

/// <summary>
/// The SELinux label of an open file, pipe or memfd: its extended attribute security.selinux, by fd, so that no path can change
/// between the look and the change. A memfd and a pipe take no label from the thread that makes them (attr/fscreate): only this way.
/// </summary>
public static unsafe class FileLabel
{
    /// <summary>Bytes of a label at most, its \0 included: the kernel takes longer ones, no policy of ours makes them.</summary>
    public const int MaxBytes = 256;

    /// <summary>Null where the file system has no labels.</summary>
    /// <exception cref="LinuxException">The kernel refused, or the label is too long (ERANGE).</exception>
    public static string? Get(FdHandle file)
    {
        byte* buffer = stackalloc byte[MaxBytes];
        // SAFETY: a constant C string, and a buffer whose true size the kernel is told.
        fixed (byte* name = "security.selinux\0"u8)
        {
            nint count = SystemCall(SYS_fgetxattr, file.Number, (nint)name, (nint)buffer, MaxBytes, 0, 0);
            return count >= 0 ? Encoding.UTF8.GetString(buffer, (int)count).TrimEnd('\0')
                : errno == ENODATA || errno == EOPNOTSUPP ? null
                : throw new LinuxException("fgetxattr security.selinux", (Errno)errno);
        }
    }

    /// <summary>Changes the label; the policy must let this process take the old one away and give the new one.</summary>
    /// <exception cref="LinuxException">The kernel refused: EACCES the policy, EPERM another's file, EINVAL a label that the policy does not know.</exception>
    public static void Set(FdHandle file, string label)
    {
        byte[] value = Encoding.UTF8.GetBytes(label + '\0');
        // SAFETY: a constant C string and a pinned value of the given length; the kernel only reads both.
        fixed (byte* name = "security.selinux\0"u8, pointer = value)
        {
            if (SystemCall(SYS_fsetxattr, file.Number, (nint)name, (nint)pointer, value.Length, 0, 0) != 0)
            {
                throw new LinuxException($"fsetxattr security.selinux {label}", (Errno)errno);
            }
        }
    }
}
