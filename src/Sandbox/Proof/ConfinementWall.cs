namespace Sandbox.Proof;

/// <summary>What stands between a process that guest bytes reach and its host. Each is there on its own: no one needs another to hold.</summary>
[Flags]
public enum ConfinementWall
{
    /// <summary>No wall.</summary>
    None = 0,

    /// <summary>A user of its own instead of root. An ordinary user's sandbox has none of its own.</summary>
    Identity = 1 << 0,

    /// <summary>Its user namespace: capabilities in it mean nothing outside.</summary>
    UserNamespace = 1 << 1,

    /// <summary>Its PID namespace: no other process has a number.</summary>
    PidNamespace = 1 << 2,

    /// <summary>Its network namespace: no interface is up and no abstract name is known.</summary>
    NetworkNamespace = 1 << 3,

    /// <summary>Its IPC namespace: no shared memory of others.</summary>
    IpcNamespace = 1 << 4,

    /// <summary>The empty, read-only root.</summary>
    EmptyRoot = 1 << 5,

    /// <summary>No capability in any set, and securebits that keep it so.</summary>
    Capabilities = 1 << 6,

    /// <summary>No memory ever becomes executable (PR_SET_MDWE; Linux 6.3).</summary>
    NoNewCode = 1 << 7,

    /// <summary>Resource limits.</summary>
    Limits = 1 << 8,

    /// <summary>Nothing is open that its specification does not name.</summary>
    ClosedFds = 1 << 9,

    /// <summary>Landlock, at the highest ABI of the kernel.</summary>
    Landlock = 1 << 10,

    /// <summary>The seccomp filter of its kind.</summary>
    Filter = 1 << 11,

    /// <summary>The seals of the guest's memory: it neither grows nor shrinks.</summary>
    Seals = 1 << 12,
}
