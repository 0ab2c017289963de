using System.CommandLine.Parsing;

namespace Sandbox.Cli.Text;

/// <summary>Reads KEY=VALUE, any number of times; a later one wins.</summary>
internal static class VariableText
{
    public static Dictionary<string, string> Parse(ArgumentResult argument)
    {
        Dictionary<string, string> variables = [];
        foreach (Token token in argument.Tokens)
        {
            int equals = token.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                argument.AddError($"--env \"{token.Value}\" is not valid; give KEY=VALUE");
                break;
            }

            variables[token.Value[..equals]] = token.Value[(equals + 1)..];
        }

        return variables;
    }
}
