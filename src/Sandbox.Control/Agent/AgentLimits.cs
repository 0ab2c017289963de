namespace Sandbox.Control.Agent;

/// <summary>The numbers both ends of the agent protocol hold each other to. A message beyond one of them is a fault, never a bigger buffer.</summary>
public static class AgentLimits
{
    /// <summary>Version of the protocol that this code speaks; the peer must speak exactly this one (both ends are built together).</summary>
    public const uint Version = 1;

    /// <summary>The vsock port of the host on which the launcher listens for the guest's one connection.</summary>
    public const int VsockPort = 1024;

    /// <summary>Bytes of the frame header: u32 frame length (header included), u16 type, u16 zero. Little-endian.</summary>
    public const int HeaderBytes = 8;

    /// <summary>Largest frame, header included, in bytes.</summary>
    public const int MaxFrameBytes = 64 * 1024;

    /// <summary>Largest payload of one Data message, in bytes: small enough that a control message never waits long behind it.</summary>
    public const int MaxDataBytes = 32 * 1024;

    /// <summary>Bytes that may be under way on one stream of one command without the reader's leave.</summary>
    public const int StreamWindowBytes = 256 * 1024;

    /// <summary>Commands that may be alive at once.</summary>
    public const int MaxLiveCommands = 64;

    /// <summary>Items of argv, and of the environment.</summary>
    public const int MaxListItems = 4096;

    /// <summary>Bytes of argv, and of the environment, in UTF-8 with a terminating zero for each item.</summary>
    public const int MaxListBytes = 48 * 1024;

    /// <summary>Bytes of a path in UTF-8 (PATH_MAX of Linux without its terminating zero).</summary>
    public const int MaxPathBytes = 4095;

    /// <summary>Bytes of a host name (HOST_NAME_MAX of Linux).</summary>
    public const int MaxHostNameBytes = 64;

    /// <summary>Bytes of a file system's name.</summary>
    public const int MaxFileSystemBytes = 32;

    /// <summary>Name servers of the guest: what resolv.conf(5) reads.</summary>
    public const int MaxNameServers = 3;

    /// <summary>Bytes of the text of a failure, in UTF-8.</summary>
    public const int MaxTextBytes = 256;

    /// <summary>Bytes of entropy the host gives at the start.</summary>
    public const int EntropyBytes = 32;

    /// <summary>Highest signal number of x86-64 Linux.</summary>
    public const int MaxSignal = 64;

    /// <summary>Highest error number the kernel returns (MAX_ERRNO).</summary>
    public const int MaxErrno = 4095;
}
