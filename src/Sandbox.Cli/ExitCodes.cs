namespace Sandbox.Cli;

/// <summary>Exit codes of `sandbox run` that are not the command's; the same as env(1) and timeout(1) use.</summary>
internal static class ExitCodes
{
    public const int Timeout = 124;
    public const int Failure = 125;
    public const int NotExecutable = 126;
    public const int NotFound = 127;

    /// <summary>Added to the number of the signal that ended the command, or sandbox itself.</summary>
    public const int SignalBase = 128;
}
