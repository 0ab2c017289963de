namespace Sandbox.Control.Proof;

/// <summary>
/// What a probe says at its end: one byte on its control socket, and the same as exit code. A refused act is its error number (1 to
/// 133). A probe that says nothing was ended in its act, by SIGSYS where the filter did it.
/// </summary>
public static class ProbeExit
{
    /// <summary>Error numbers of Linux are below this (errno(3)).</summary>
    public const int EndOfErrors = 134;

    /// <summary>The act was done: nothing refused it.</summary>
    public const int Done = 200;

    /// <summary>The probe could not get as far as its act; a line on standard error says why.</summary>
    public const int NotAttempted = 201;
}
