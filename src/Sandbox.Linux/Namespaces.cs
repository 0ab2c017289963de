namespace Sandbox.Linux;

/// <summary>CLONE_NEW* of unshare(2) (linux/sched.h).</summary>
public static class Namespaces
{
    public const int Mount = 0x00020000;
    public const int CGroup = 0x02000000;
    public const int Uts = 0x04000000;
    public const int Ipc = 0x08000000;
    public const int User = 0x10000000;
    public const int Pid = 0x20000000;
    public const int Network = 0x40000000;
}
