namespace Sandbox.Cli.Text;

/// <summary>Reads vhost-user=PATH[,type=blk|rng].</summary>
internal static class DeviceText
{
    private const string Kind = "vhost-user=";
    private const string TypeMark = ",type=";

    public static VhostUserDeviceOptions Parse(string text)
    {
        if (!text.StartsWith(Kind, StringComparison.Ordinal))
        {
            throw Invalid(text);
        }

        string rest = text[Kind.Length..];
        int mark = rest.LastIndexOf(TypeMark, StringComparison.Ordinal);
        string type = mark < 0 ? "blk" : rest[(mark + TypeMark.Length)..];
        return new VhostUserDeviceOptions
        {
            SocketPath = mark < 0 ? rest : rest[..mark],
            Type = type switch
            {
                "blk" => VhostUserDeviceType.Block,
                "rng" => VhostUserDeviceType.Entropy,
                _ => throw Invalid(text),
            },
        };
    }

    private static SandboxException Invalid(string text) =>
        new(SandboxErrorKind.InvalidOption, $"device \"{text}\" is not understood; give vhost-user=PATH or vhost-user=PATH,type=blk (or rng)");
}
