namespace Sandbox.Linux;

/// <summary>How a process ended.</summary>
/// <param name="Code">The exit code, 0 to 255, or -1 when a signal ended it.</param>
/// <param name="Signal">The signal that ended it (signal(7)), or 0.</param>
public readonly record struct ExitStatus(int Code, int Signal)
{
    /// <summary>As a shell reports it: the code, or 128 + the signal.</summary>
    public int ShellCode => Signal == 0 ? Code : 128 + Signal;

    public override string ToString() => Signal == 0 ? $"exit code {Code}" : $"signal {Signal}";
}
