namespace Sandbox.Linux.Abi;

/// <summary>Constants of the system headers that Tmds.LibC lacks, by their C names; the ABI test compares each with its header.</summary>
internal static class Constants
{
    // sys/wait.h
    internal const int P_PIDFD = 3;
    internal const int WNOHANG = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x01000000;
    internal const int CLD_EXITED = 1;

    // spawn.h
    internal const short POSIX_SPAWN_SETSIGDEF = 0x04;
    internal const short POSIX_SPAWN_SETSIGMASK = 0x08;
}
