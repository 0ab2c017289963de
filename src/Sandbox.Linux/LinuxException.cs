namespace Sandbox.Linux;

/// <summary>A host operation failed: which one, on what, and the error number it gave.</summary>
public sealed class LinuxException : Exception
{
    /// <param name="operation">The call and what it was done on, for example <c>open /dev/kvm</c>.</param>
    /// <param name="errno">The positive error number.</param>
    public LinuxException(string operation, Errno errno)
        : base($"{operation}: {Describe(errno)}")
    {
        Operation = operation;
        Errno = errno;
    }

    public string Operation { get; }

    public Errno Errno { get; }

    /// <summary>Throws when <paramref name="result"/> is negative (the negated error number), else returns it.</summary>
    public static int Check(int result, string operation) =>
        result >= 0 ? result : throw new LinuxException(operation, (Errno)(-result));

    /// <inheritdoc cref="Check(int, string)"/>
    public static long Check(long result, string operation) =>
        result >= 0 ? result : throw new LinuxException(operation, (Errno)(int)(-result));

    private static string Describe(Errno errno) => errno switch
    {
        Errno.EPERM => "operation not permitted (EPERM)",
        Errno.ENOENT => "no such file or directory (ENOENT)",
        Errno.EACCES => "permission denied (EACCES)",
        Errno.ENOMEM => "out of memory (ENOMEM)",
        Errno.EINVAL => "invalid argument (EINVAL)",
        Errno.ENOSPC => "no space left (ENOSPC)",
        Errno.EISDIR => "is a directory (EISDIR)",
        Errno.ENOTDIR => "not a directory (ENOTDIR)",
        Errno.EROFS => "read-only file system (EROFS)",
        Errno.ENOSYS => "not implemented by this kernel (ENOSYS)",
        _ => Enum.IsDefined(errno) ? errno.ToString() : $"errno {(int)errno}",
    };
}
