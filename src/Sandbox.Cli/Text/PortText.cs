using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads [ADDRESS:]HOST:GUEST; the ranges are the library's matter.</summary>
internal static class PortText
{
    /// <exception cref="SandboxException">The text has not that form.</exception>
    public static PortForward Parse(string option, string text) => text.Split(':') switch
    {
        [string host, string guest] when TryRead(host, out int from) && TryRead(guest, out int to) => new PortForward(from, to),
        [string address, string host, string guest] when TryRead(host, out int from) && TryRead(guest, out int to) => new PortForward(from, to, address),
        _ => throw new SandboxException(SandboxErrorKind.InvalidOption, $"{option} \"{text}\" is not valid; give HOST:GUEST or ADDRESS:HOST:GUEST, for example 8080:80"),
    };

    private static bool TryRead(string text, out int port) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);
}
