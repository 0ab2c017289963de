using System.Text;

namespace Sandbox.Lab.Tests;

/// <summary>What a command did.</summary>
public sealed record CommandResult(int ExitCode, byte[] Output, string Error, TimeSpan Elapsed)
{
    /// <summary>Standard output as text, without the last line feed.</summary>
    public string Text => Encoding.UTF8.GetString(Output).TrimEnd('\n');

    /// <summary>The lines of standard error.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override string ToString() => $"exit code {ExitCode} after {Elapsed.TotalSeconds:0.0} s\n--- output\n{Text}\n--- error\n{Error}";
}
