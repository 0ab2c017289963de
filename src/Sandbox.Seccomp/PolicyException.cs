namespace Sandbox.Seccomp;

/// <summary>A policy text that means nothing: where, and why.</summary>
public sealed class PolicyException(string source, int line, string reason) : Exception($"{source}:{line}: {reason}");
