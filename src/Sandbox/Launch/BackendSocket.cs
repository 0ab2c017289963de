using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Connects to a vhost-user backend that an operator named, and says in one line why it cannot be.</summary>
internal static class BackendSocket
{
    public static FdHandle Connect(string path)
    {
        try
        {
            return UnixSocket.Connect(path);
        }
        catch (LinuxException failure)
        {
            string cure = failure.Errno switch
            {
                Errno.ENOENT or Errno.ENOTDIR => "no such socket; start its backend first",
                Errno.ECONNREFUSED => "no backend listens on it; start it first",
                Errno.EACCES or Errno.EPERM => "not permitted to connect to it; change its mode or the user",
                Errno.ENAMETOOLONG => "the path is too long for a socket; give one of at most 107 bytes",
                _ => failure.Errno.ToString(),
            };
            throw new SandboxException(SandboxErrorKind.InvalidOption, $"vhost-user socket {path}: {cure}", failure);
        }
    }
}
