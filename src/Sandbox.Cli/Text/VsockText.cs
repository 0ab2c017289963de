using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads PORT=PATH and guest:PORT=PATH; the ranges are the library's matter.</summary>
internal static class VsockText
{
    private const string Guest = "guest:";

    /// <exception cref="SandboxException">The text has not that form.</exception>
    public static VsockPortOptions Parse(string text)
    {
        bool guestListens = text.StartsWith(Guest, StringComparison.Ordinal);
        int begin = guestListens ? Guest.Length : 0;
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > begin && uint.TryParse(text.AsSpan(begin, equals - begin), NumberStyles.None, CultureInfo.InvariantCulture, out uint port)
            ? new VsockPortOptions { Port = port, SocketPath = text[(equals + 1)..], GuestListens = guestListens }
            : throw new SandboxException(
                SandboxErrorKind.InvalidOption, $"vsock port \"{text}\" is not understood; give PORT=PATH or guest:PORT=PATH, for example 5000=/run/service.sock");
    }
}
