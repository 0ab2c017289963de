namespace Sandbox.Lab.Tests;

/// <summary>Assertions that show everything the command said when they fail.</summary>
internal static class Expect
{
    public static void ExitCode(int expected, CommandResult result) => Assert.True(result.ExitCode == expected, $"expected exit code {expected}, got {result}");

    public static void Text(string expected, CommandResult result) => Assert.True(result.Text == expected, $"expected output {expected}, got {result}");

    /// <summary>A failure of sandbox itself: 125, no output, one line that has the given words in it.</summary>
    public static void Failure(CommandResult result, params string[] words)
    {
        ExitCode(125, result);
        Assert.True(result.Output.Length == 0, $"output beside the failure: {result}");
        Assert.True(result.ErrorLines.Length == 1 && result.ErrorLines[0].StartsWith("sandbox: ", StringComparison.Ordinal), $"expected one line, got {result}");
        foreach (string word in words)
        {
            Assert.True(result.Error.Contains(word, StringComparison.Ordinal), $"expected '{word}' in {result}");
        }
    }
}
