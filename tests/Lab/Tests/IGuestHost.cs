namespace Sandbox.Lab.Tests;

/// <summary>A machine with hardware virtualization to run commands on.</summary>
internal interface IGuestHost : IDisposable
{
    /// <summary>Starts a command with the given standard input, all of it at once.</summary>
    Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, byte[] input, TimeSpan limit);
}
