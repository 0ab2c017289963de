using Sandbox.Linux;
using Sandbox.Linux.SeLinux;

namespace Sandbox.Launch;

/// <summary>Connects to the Unix socket of a program that an operator named, and says in one line why it cannot be.</summary>
internal static class BackendSocket
{
    /// <param name="what">For the message, for example "vhost-user socket".</param>
    /// <param name="path">Of the socket.</param>
    /// <param name="label">The SELinux label of the new connection; null: the launcher's own.</param>
    public static FdHandle Connect(string what, string path, string? label = null)
    {
        try
        {
            return label is null ? UnixSocket.Connect(path) : LabelledSocket.Connect(path, label);
        }
        catch (LinuxException failure)
        {
            string cure = failure.Errno switch
            {
                Errno.ENOENT or Errno.ENOTDIR => "no such socket; start its program first",
                Errno.ECONNREFUSED => "nobody listens on it; start its program first",
                Errno.EACCES or Errno.EPERM => "not permitted to connect to it; change its mode or the user",
                Errno.ENAMETOOLONG => "the path is too long for a socket; give one of at most 107 bytes",
                _ => failure.Errno.ToString(),
            };
            throw new SandboxException(SandboxErrorKind.InvalidOption, $"{what} {path}: {cure}", failure);
        }
    }
}
