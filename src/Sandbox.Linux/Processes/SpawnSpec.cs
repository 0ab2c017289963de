namespace Sandbox.Linux;

/// <summary>A process to start: what it executes and everything that it inherits. Nothing else reaches the child.</summary>
public sealed class SpawnSpec
{
    /// <summary>The highest child number that a table may name.</summary>
    public const int MaxChildNumber = 255;

    /// <summary>The opened exe, borrowed until the spawn has returned; the child does not inherit it.</summary>
    public required FdHandle Executable { get; init; }

    /// <summary>argv, the program's name first. No NUL inside.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>KEY=VALUE each; empty unless given (an environment variable can reconfigure the .NET runtime).</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>The complete table. A number that is not in it is closed in the child, 0, 1 and 2 included.</summary>
    public required IReadOnlyList<InheritedFd> Fds { get; init; }
}
