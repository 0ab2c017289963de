using System.Buffers.Binary;
using Sandbox.Control.Agent;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>The guest's network, opened: the fd for its device process, and what the guest is told.</summary>
internal sealed class NetworkLink : IDisposable
{
    /// <summary>The addresses of user networking: the guest's own world, the same in every microVM. passt answers for all others of it.</summary>
    public const string UserAddress = "10.0.2.15";

    public const string UserGateway = "10.0.2.2";
    private const byte UserPrefixBits = 24;

    // passt's own default: the largest it takes. One large frame costs as much as a small one.
    private const int UserMtu = 65520;

    private NetworkLink(FdHandle device, FdHandle? passt, NetBackingKind kind, int mtu, GuestNetwork guest) =>
        (Device, Passt, Kind, Mtu, Guest) = (device, passt, kind, mtu, guest);

    /// <summary>For the device process.</summary>
    public FdHandle Device { get; private set; }

    /// <summary>passt's end of the device's socket; null for a tap interface.</summary>
    public FdHandle? Passt { get; private set; }

    public NetBackingKind Kind { get; }

    public int Mtu { get; }

    public GuestNetwork Guest { get; }

    /// <summary>Its own in every microVM: locally administered, one station.</summary>
    public ulong MacAddress { get; } = (BinaryPrimitives.ReadUInt64LittleEndian(HostRandom.Bytes(sizeof(ulong))) & 0xFC_FF_FF_FF_FF_FF) | 0x02_00_00_00_00_00;

    public static NetworkLink Open(NetworkOptions options)
    {
        if (options.Kind == NetworkKind.Tap)
        {
            return OpenTap(options);
        }

        uint[] servers = options.NameServers.Count > 0 ? Addresses(options.NameServers) : HostResolver.NameServers();
        (FdHandle device, FdHandle passt) = UnixSocket.CreatePair();
        return new NetworkLink(
            device, passt, NetBackingKind.Stream, UserMtu, new GuestNetwork(AddressText.Parse(UserAddress), UserPrefixBits, AddressText.Parse(UserGateway), servers));
    }

    /// <summary>Another socket between the device and passt, before either has one: one with a label.</summary>
    public void UseSocket((FdHandle Device, FdHandle Passt) ends)
    {
        Dispose();
        (Device, Passt) = ends;
    }

    public void Dispose()
    {
        Device.Dispose();
        Passt?.Dispose();
    }

    private static NetworkLink OpenTap(NetworkOptions options)
    {
        string name = options.TapName!;
        uint address = 0;
        byte prefixBits = 0;
        if (options.Address is { } text)
        {
            _ = AddressText.TryParseNetwork(text, out address, out prefixBits); // OptionCheck has
        }

        GuestNetwork guest = new(address, prefixBits, options.Gateway is { } gateway ? AddressText.Parse(gateway) : 0, Addresses(options.NameServers));
        // To attach to a name that is not there makes a new interface, where that is allowed: connected to nothing, and not what was meant.
        int mtu = TapDevice.MtuOf(name);
        if (mtu < 0)
        {
            throw new SandboxException(SandboxErrorKind.HostNotReady, $"tap interface {name} is not there; make it with `ip tuntap add dev {name} mode tap` and connect it");
        }

        try
        {
            return new NetworkLink(TapDevice.Attach(name), null, NetBackingKind.Tap, Math.Clamp(mtu, LaunchLimits.MinMtu, LaunchLimits.MaxMtu), guest);
        }
        catch (LinuxException failure)
        {
            string cure = failure.Errno switch
            {
                Errno.ENOENT or Errno.ENODEV => "the host has no tap device; load it with `modprobe tun`",
                Errno.EBUSY => "another program uses the interface; give each microVM its own",
                Errno.EPERM or Errno.EACCES => $"make it for this user with `ip tuntap add dev {name} mode tap user USER`",
                Errno.EINVAL => "it is no tap interface with one queue; make one with `ip tuntap add dev NAME mode tap`",
                _ => failure.Errno.ToString(),
            };
            throw new SandboxException(SandboxErrorKind.HostNotReady, $"tap interface {name} cannot be used ({failure.Operation}: {failure.Errno}): {cure}", failure);
        }
    }

    private static uint[] Addresses(IReadOnlyList<string> texts) => [.. texts.Select(AddressText.Parse)];
}
