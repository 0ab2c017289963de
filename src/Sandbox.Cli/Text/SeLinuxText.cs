namespace Sandbox.Cli.Text;

/// <summary>Reads auto, required or off.</summary>
internal static class SeLinuxText
{
    /// <exception cref="SandboxException">The text is none of them.</exception>
    public static SeLinuxMode Parse(string text) => text switch
    {
        "auto" => SeLinuxMode.Auto,
        "required" => SeLinuxMode.Required,
        "off" => SeLinuxMode.Off,
        _ => throw new SandboxException(SandboxErrorKind.InvalidOption, $"--selinux \"{text}\" is not valid; give auto, required or off"),
    };
}
