using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Checks the options of a network, as <see cref="OptionCheck"/> does those of the machine.</summary>
internal static class NetworkCheck
{
    public static void Check(NetworkOptions options)
    {
        bool tap = options.Kind == NetworkKind.Tap;
        Require(Enum.IsDefined(options.Kind), $"network kind {options.Kind} is unknown; give user or tap");
        Require(
            !tap || (options.TapName is { Length: >= 1 and <= TapDevice.MaxNameBytes } name && name.All(IsNameLetter) && name is not "." and not ".."),
            $"tap interface name \"{options.TapName}\" is not valid; give 1 to {TapDevice.MaxNameBytes} letters, digits, '-', '_' and '.'");
        Require(tap || options.TapName is null, "a tap interface is named but the network is not of kind tap; leave one out");
        Require(!tap || options.Ports.Count == 0, "ports can be forwarded with user networking only; a tap interface is the administrator's to connect");
        Require(tap || (options.Address is null && options.Gateway is null), "user networking gives the guest its address; leave address and gateway out");
        Require(options.Gateway is null || options.Address is not null, "a gateway is given without an address of the guest; give both");
        Require(
            options.Address is null || AddressText.TryParseNetwork(options.Address, out _, out _),
            $"the guest's address \"{options.Address}\" is not valid; give ADDRESS/PREFIX, for example 192.168.7.2/24");
        Require(options.NameServers.Count <= NetworkOptions.MaxNameServerCount, $"{options.NameServers.Count} name servers are too many; give at most {NetworkOptions.MaxNameServerCount}");
        foreach (string address in (List<string>)[.. options.NameServers, .. options.Gateway is { } gateway ? [gateway] : (string[])[]])
        {
            Require(AddressText.TryParse(address, out _), $"\"{address}\" is no IPv4 address; give four numbers, for example 192.168.7.1");
        }

        Require(options.Ports.Count <= NetworkOptions.MaxPortCount, $"{options.Ports.Count} forwarded ports are too many; give at most {NetworkOptions.MaxPortCount}");
        foreach (PortForward port in options.Ports)
        {
            Require(
                port.HostPort is >= 1 and <= ushort.MaxValue && port.GuestPort is >= 1 and <= ushort.MaxValue && AddressText.TryParse(port.HostAddress, out _),
                $"forwarded port {port.HostAddress}:{port.HostPort}:{port.GuestPort} is not valid; give [ADDRESS:]HOST:GUEST with ports 1 to 65535");
        }

        Require(
            options.QueuePairCount is >= 1 and <= NetworkOptions.MaxQueuePairCount,
            $"{options.QueuePairCount} pairs of network queues are out of range; give 1 to {NetworkOptions.MaxQueuePairCount}");
        Require(
            options.BytesPerSecond is >= 0 and <= LaunchLimits.MaxBytesPerSecond,
            $"a network rate of {options.BytesPerSecond} bytes a second is out of range; give 0 (no bound) to 1T");
    }

    private static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.';

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new SandboxException(SandboxErrorKind.InvalidOption, message);
        }
    }
}
