using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads PORT=PATH; the ranges are the library's matter.</summary>
internal static class VsockText
{
    /// <exception cref="SandboxException">The text has not that form.</exception>
    public static VsockPortOptions Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && uint.TryParse(text.AsSpan(0, equals), NumberStyles.None, CultureInfo.InvariantCulture, out uint port)
            ? new VsockPortOptions { Port = port, SocketPath = text[(equals + 1)..] }
            : throw new SandboxException(SandboxErrorKind.InvalidOption, $"vsock port \"{text}\" is not understood; give PORT=PATH, for example 5000=/run/service.sock");
    }
}
