using System.Globalization;

namespace Sandbox.Linux.Guest;

/// <summary>Pseudoterminals (pty(7)): the agent holds the master, the command is on the other side.</summary>
public static unsafe class GuestTerminal
{
    private const int ReadWriteNotOurs = 2 | 0x100; // O_RDWR | O_NOCTTY
    private const nuint LockPeer = 0x40045431; // TIOCSPTLCK
    private const nuint GetNumber = 0x80045430; // TIOCGPTN
    private const nuint SetSize = 0x5414; // TIOCSWINSZ

    /// <summary>A new one of that size, and the path of its other side.</summary>
    /// <exception cref="LinuxException">The guest has no /dev/ptmx or no terminal left.</exception>
    public static (FdHandle Master, string Path) Open(ushort rows, ushort columns)
    {
        FdHandle master = FileOpen.Open("/dev/ptmx", ReadWriteNotOurs, 0);
        try
        {
            int value = 0;
            LinuxException.Check(GuestLibc.Result(GuestLibc.ioctl(master.Number, LockPeer, &value)), "unlock terminal"); // SAFETY: a local int, read.
            LinuxException.Check(GuestLibc.Result(GuestLibc.ioctl(master.Number, GetNumber, &value)), "number of terminal"); // SAFETY: a local int, written.
            LinuxException.Check(Resize(master, rows, columns), "size of terminal");
            return (master, string.Create(CultureInfo.InvariantCulture, $"/dev/pts/{value}"));
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>Sets the size; the foreground processes get SIGWINCH. 0, or the negated error number.</summary>
    public static int Resize(FdHandle master, ushort rows, ushort columns)
    {
        ushort* size = stackalloc ushort[4] { rows, columns, 0, 0 };
        return GuestLibc.Result(GuestLibc.ioctl(master.Number, SetSize, size)); // SAFETY: struct winsize is four half-words.
    }
}
