namespace Sandbox.Control.Jail;

/// <summary>
/// The fds that only the jail stage uses. They lie above everything that the exe behind it inherits and are gone after the exec.
/// </summary>
public static class JailFds
{
    /// <summary>A control group is in at most this many trees (version 1 has one for each controller).</summary>
    public const int MaxGroups = 4;

    /// <summary>cgroup.procs of the control groups to enter, for writing. For their keeper: the folders that hold them.</summary>
    public const int FirstGroup = 242;

    /// <summary>Sending end of a socket: <see cref="JailReport"/>s. Its end of file, with no failure before it, says that the exe runs.</summary>
    public const int Status = 250;

    /// <summary>The encoded <see cref="JailSpec"/>, read-only.</summary>
    public const int Spec = 251;

    /// <summary>The exe to execute. For a keeper that gets a label: sandbox-jail itself.</summary>
    public const int Executable = 252;

    /// <summary>Numbers that the exe may inherit are below this.</summary>
    public const int FirstOfJail = FirstGroup;
}
