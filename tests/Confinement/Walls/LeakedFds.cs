using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Walls;

/// <summary>What a careless launcher could leave open: a directory, /dev/kvm, a namespace and a terminal. The jail's specification names none of them.</summary>
internal sealed class LeakedFds : IDisposable
{
    private const int First = 100;
    private const int ReadDirectory = 0x10000; // O_DIRECTORY
    private const ulong UnlockTerminal = 0x40045431; // TIOCSPTLCK
    private const ulong OpenOtherEnd = 0x5441; // TIOCGPTPEER
    private const int ReadWriteNoTerminal = 0x102; // O_RDWR | O_NOCTTY

    private readonly FdHandle[] _fds;
    private readonly FdHandle _terminalMaster;

    internal LeakedFds()
    {
        _terminalMaster = FileOpen.Open("/dev/ptmx", ReadWriteNoTerminal, 0);
        int locked = 0;
        Assert.Equal(0, ioctl(_terminalMaster.Number, UnlockTerminal, ref locked));
        int terminal = ioctl(_terminalMaster.Number, OpenOtherEnd, ReadWriteNoTerminal);
        Assert.True(terminal >= 0, "TIOCGPTPEER");
        _fds = [FileOpen.Open("/", ReadDirectory, 0), FileOpen.Read("/proc/self/ns/net"), new FdHandle(terminal)];
    }

    internal IEnumerable<InheritedFd> Table => _fds.Select((fd, index) => new InheritedFd(First + index, fd));

    public void Dispose()
    {
        foreach (FdHandle fd in _fds)
        {
            fd.Dispose();
        }

        _terminalMaster.Dispose();
    }

    [DllImport("libc")]
    private static extern int ioctl(int fd, ulong request, ref int argument);

    [DllImport("libc")]
    private static extern int ioctl(int fd, ulong request, nint argument);
}
