using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.YoungConstants;

namespace Sandbox.Linux.PreRuntime;

/// <summary>Everything that a Landlock ABI can refuse (landlock(7), "Landlock ABI versions"): a ruleset that handles all of it and allows nothing refuses it.</summary>
/// <param name="FileSystem">LANDLOCK_ACCESS_FS_*.</param>
/// <param name="Network">LANDLOCK_ACCESS_NET_*.</param>
/// <param name="Scopes">LANDLOCK_SCOPE_*: processes and sockets outside of the domain.</param>
public readonly record struct LandlockRights(ulong FileSystem, ulong Network, ulong Scopes)
{
    /// <summary>What an exec needs of its file: it is opened for reading, and marked as an exec.</summary>
    public const ulong ExecuteAndRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;

    /// <summary>What the keeper of a control group needs of the folder that holds it.</summary>
    public const ulong RemoveFolders = LANDLOCK_ACCESS_FS_REMOVE_DIR;

    /// <summary>All rights that a kernel of this ABI (1 or more) knows. A younger ABI than those listed adds nothing here.</summary>
    public static LandlockRights Of(int abi)
    {
        ulong files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; // ABI 1, Linux 5.13: everything up to this one
        files |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0; // Linux 5.19
        files |= abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0; // Linux 6.2
        files |= abi >= 5 ? LANDLOCK_ACCESS_FS_IOCTL_DEV : 0; // Linux 6.10
        ulong network = abi >= 4 ? LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP : 0; // Linux 6.7
        ulong scopes = abi >= 6 ? LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL : 0; // Linux 6.12
        return new LandlockRights(files, network, scopes);
    }
}
