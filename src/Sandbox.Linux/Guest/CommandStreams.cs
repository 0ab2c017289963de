namespace Sandbox.Linux.Guest;

/// <summary>What a command gets as its three standard streams: borrowed fds, or a terminal that it opens itself and so controls.</summary>
/// <param name="Input">Standard input; unused with a terminal, as the other two.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Terminal">Path of the terminal, or null.</param>
public readonly record struct CommandStreams(int Input, int Output, int Error, string? Terminal = null);
