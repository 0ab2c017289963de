namespace Sandbox;

/// <summary>What SELinux does about a microVM.</summary>
public sealed class SeLinuxStatus
{
    internal SeLinuxStatus(string? level, bool isEnforced, string detail) => (Level, IsEnforced, Detail) = (level, isEnforced, detail);

    /// <summary>The level of its processes, for example "s0:c12,c800"; null when they have no labels of their own.</summary>
    public string? Level { get; }

    /// <summary>Whether the kernel refuses what the policy does not allow. False: it only logs it, or there are no labels.</summary>
    public bool IsEnforced { get; }

    /// <summary>For an operator, in a few words.</summary>
    public string Detail { get; }
}
