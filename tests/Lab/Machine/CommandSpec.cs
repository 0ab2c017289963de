using System.Collections;
using System.Text;

namespace Sandbox.Lab.Machine;

/// <summary>A command to run in the lab host. Paths are those of the build machine.</summary>
public sealed record CommandSpec(IReadOnlyList<string> Arguments)
{
    public string Directory { get; init; } = Environment.CurrentDirectory;

    /// <summary>NAME=VALUE; the caller's own environment unless said otherwise.</summary>
    public IReadOnlyList<string> Variables { get; init; } =
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")];

    /// <summary>Directory, number of arguments, arguments, variables: each ended by a NUL, which none of them can hold.</summary>
    public byte[] Encode() =>
        Encoding.UTF8.GetBytes(string.Concat(((string[])[Directory, $"{Arguments.Count}", .. Arguments, .. Variables]).Select(part => part + '\0')));

    public static CommandSpec Decode(ReadOnlySpan<byte> bytes)
    {
        string[] parts = Encoding.UTF8.GetString(bytes).Split('\0')[..^1];
        int argumentCount = int.Parse(parts[1], null);
        return new CommandSpec(parts[2..(2 + argumentCount)]) { Directory = parts[0], Variables = parts[(2 + argumentCount)..] };
    }
}
