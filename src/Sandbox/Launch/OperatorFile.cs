using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Opens a file that an operator named, and says in one line why it cannot be.</summary>
internal static class OperatorFile
{
    /// <param name="path">The operator's path.</param>
    /// <param name="what">What it is for, for the message.</param>
    /// <param name="writable">Whether it is opened for reading and writing, or only for reading.</param>
    /// <param name="direct">Past the page cache (O_DIRECT).</param>
    public static FdHandle Open(string path, string what, bool writable, bool direct = false)
    {
        try
        {
            return FileOpen.Named(path, writable, direct);
        }
        catch (LinuxException failure)
        {
            string cure = failure.Errno switch
            {
                Errno.ENOENT or Errno.ENOTDIR => "no such file; check the path",
                Errno.EACCES or Errno.EPERM => writable ? "not permitted to read and write it; change its mode, or mount it read-only" : "not permitted to read it; change its mode or the user",
                Errno.EROFS => "it is on a read-only file system; attach it read-only",
                Errno.EINVAL when direct => "its file system has no direct I/O; leave :direct out",
                Errno.EISDIR => "it is a directory; give a file",
                _ => failure.Errno.ToString(),
            };
            throw new SandboxException(SandboxErrorKind.InvalidOption, $"{what} {path}: {cure}", failure);
        }
    }
}
