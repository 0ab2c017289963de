using Microsoft.Win32.SafeHandles;

namespace Sandbox.Linux;

/// <summary>Owns one file descriptor and closes it.</summary>
public sealed class FdHandle : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes ownership of <paramref name="fd"/>.</summary>
    public FdHandle(int fd)
        : base(ownsHandle: true) => SetHandle(fd);

    /// <summary>The number, borrowed: valid while this object is alive and not disposed; -1 after that.</summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>Gives the number away: the caller must close it.</summary>
    public int Take()
    {
        int fd = Number;
        SetHandleAsInvalid();
        return fd;
    }

    protected override bool ReleaseHandle() => FdIo.Close((int)handle) >= 0;
}
