namespace Sandbox.Cli.Text;

/// <summary>Reads vhost-user=PATH[,type=blk|rng|fs,tag=NAME].</summary>
internal static class DeviceText
{
    private const string Kind = "vhost-user=";
    private const string TypeMark = ",type=";
    private const string TagMark = "fs,tag=";

    public static VhostUserDeviceOptions Parse(string text)
    {
        if (!text.StartsWith(Kind, StringComparison.Ordinal))
        {
            throw Invalid(text);
        }

        string rest = text[Kind.Length..];
        int mark = rest.LastIndexOf(TypeMark, StringComparison.Ordinal);
        string type = mark < 0 ? "blk" : rest[(mark + TypeMark.Length)..];
        string tag = "";
        if (type.StartsWith(TagMark, StringComparison.Ordinal))
        {
            tag = type[TagMark.Length..];
            type = "fs";
        }

        return new VhostUserDeviceOptions
        {
            SocketPath = mark < 0 ? rest : rest[..mark],
            Type = type switch
            {
                "blk" => VhostUserDeviceType.Block,
                "rng" => VhostUserDeviceType.Entropy,
                "fs" => VhostUserDeviceType.FileSystem,
                _ => throw Invalid(text),
            },
            Tag = tag,
        };
    }

    private static SandboxException Invalid(string text) =>
        new(SandboxErrorKind.InvalidOption, $"device \"{text}\" is not understood; give vhost-user=PATH, vhost-user=PATH,type=blk (or rng), or vhost-user=PATH,type=fs,tag=NAME");
}
