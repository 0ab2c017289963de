namespace Sandbox.Cli.Text;

/// <summary>Reads KEY=VALUE.</summary>
internal static class VariableText
{
    /// <exception cref="SandboxException">There is no key, or no equals sign.</exception>
    public static (string Key, string Value) Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..]) : throw new SandboxException(
            SandboxErrorKind.InvalidOption, $"--env \"{text}\" is not valid; give KEY=VALUE");
    }
}
