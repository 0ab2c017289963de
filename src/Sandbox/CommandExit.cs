namespace Sandbox;

/// <summary>How a command in a guest ended: by an exit code, or by a signal.</summary>
/// <param name="Code">The exit code, 0 to 255; 0 when a signal ended it.</param>
/// <param name="Signal">The number of the signal that ended it, 1 to 64 (Linux x86-64); 0 when it exited by itself.</param>
public readonly record struct CommandExit(int Code, int Signal)
{
    /// <summary>The value a shell would show: the exit code, or 128 plus the signal's number.</summary>
    public int ShellCode => Signal == 0 ? Code : 128 + Signal;
}
