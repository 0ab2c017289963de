using System.Text;

namespace Sandbox.Linux.SeLinux;

/// <summary>
/// Sockets with an SELinux label of their own. A socket takes its label when it is made, from /proc/thread-self/attr/sockcreate;
/// changing it later would change only half of it.
/// </summary>
public static class LabelledSocket
{
    private const string ThreadAttribute = "/proc/thread-self/attr/sockcreate";

    /// <summary>As <see cref="UnixSocket.CreatePair"/>, both ends with <paramref name="label"/>.</summary>
    /// <exception cref="LinuxException">The kernel refused the label or the sockets.</exception>
    public static (FdHandle First, FdHandle Second) CreatePair(string label)
    {
        using ThreadLabel _ = new(label);
        return UnixSocket.CreatePair();
    }

    /// <summary>As <see cref="UnixSocket.Connect"/>, the own end with <paramref name="label"/>.</summary>
    /// <exception cref="LinuxException">The kernel refused the label or the connection.</exception>
    public static FdHandle Connect(string path, string label)
    {
        using ThreadLabel _ = new(label);
        return UnixSocket.Connect(path);
    }

    /// <summary>As <see cref="UnixSocket.TryConnect(string, out bool)"/>, the own end with <paramref name="label"/>. Null also where the kernel refuses the label.</summary>
    public static FdHandle? TryConnect(string path, string label, out bool busy)
    {
        try
        {
            using ThreadLabel _ = new(label);
            return UnixSocket.TryConnect(path, out busy);
        }
        catch (LinuxException)
        {
            busy = false;
            return null;
        }
    }

    // Written, used and cleared by one thread without a pause between: the attribute is the thread's.
    private readonly ref struct ThreadLabel
    {
        private readonly string _none = "\n"; // the kernel's word for "none again"

        public ThreadLabel(string label) => Set(label);

        public void Dispose() => Set(_none);

        private static void Set(string label)
        {
            using FdHandle attribute = FileOpen.Write(ThreadAttribute);
            LinuxException.Check(FdIo.Write(attribute.Number, Encoding.UTF8.GetBytes(label)), $"write {label.Trim()} to {ThreadAttribute}");
        }
    }
}
