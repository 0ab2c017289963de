namespace Sandbox.Host;

/// <summary>One thing that a host has or lacks.</summary>
/// <param name="Name">What was looked for.</param>
/// <param name="IsPresent">Whether it is there and can be used.</param>
/// <param name="IsRequired">Whether no microVM can run without it.</param>
/// <param name="Detail">What was found: a version, a path, or why it cannot be used.</param>
/// <param name="Cure">What to do when it is not present; empty when nothing can be done.</param>
public sealed record HostFinding(string Name, bool IsPresent, bool IsRequired, string Detail, string Cure);
