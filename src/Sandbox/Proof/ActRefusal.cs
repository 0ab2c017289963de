namespace Sandbox.Proof;

/// <summary>How an attempt was refused.</summary>
public enum ActRefusal
{
    /// <summary>It was not: the act was done.</summary>
    None,

    /// <summary>The filter ended the process.</summary>
    Killed,

    /// <summary>The kernel answered with an error.</summary>
    Error,

    /// <summary>The kernel ended the process for another reason than the filter.</summary>
    Signal,

    /// <summary>The probe did not get as far as the attempt, so nothing is known.</summary>
    NotAttempted,
}
