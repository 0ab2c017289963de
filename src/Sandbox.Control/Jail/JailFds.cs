namespace Sandbox.Control.Jail;

/// <summary>
/// The fds that only the jail stage uses. They lie above everything that the exe behind it inherits and are gone after the exec.
/// </summary>
public static class JailFds
{
    /// <summary>Sending end of a socket: <see cref="JailReport"/>s. Its end of file, with no failure before it, says that the exe runs.</summary>
    public const int Status = 250;

    /// <summary>The encoded <see cref="JailSpec"/>, read-only.</summary>
    public const int Spec = 251;

    /// <summary>The exe to execute.</summary>
    public const int Executable = 252;

    /// <summary>Numbers that the exe may inherit are below this.</summary>
    public const int FirstOfJail = Status;
}
