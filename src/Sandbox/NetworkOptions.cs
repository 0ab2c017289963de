using Sandbox.Control.Launch;

namespace Sandbox;

/// <summary>How a microVM is connected.</summary>
public enum NetworkKind
{
    /// <summary>
    /// User networking: passt(1) of the host opens connections for the guest, as an ordinary program would. The guest reaches what the host
    /// reaches, except the host's own loopback and link-local addresses; nobody reaches the guest but by <see cref="NetworkOptions.Ports"/>. IPv4 only.
    /// </summary>
    User,

    /// <summary>A tap interface that the host's administrator has made; what it is connected to is theirs to say.</summary>
    Tap,
}

/// <summary>The network of a microVM. The guest sees one interface, eth0, with an Ethernet address of its own that it cannot change.</summary>
public sealed class NetworkOptions
{
    /// <summary>The most entries of <see cref="Ports"/>.</summary>
    public const int MaxPortCount = 64;

    /// <summary>The most entries of <see cref="NameServers"/>: what resolv.conf(5) reads.</summary>
    public const int MaxNameServerCount = 3;

    /// <summary>The largest <see cref="QueuePairCount"/>.</summary>
    public const int MaxQueuePairCount = LaunchLimits.MaxNetworkPairs;

    /// <summary>Default: user networking.</summary>
    public NetworkKind Kind { get; init; }

    /// <summary>With <see cref="NetworkKind.Tap"/>: the interface's name.</summary>
    public string? TapName { get; init; }

    /// <summary>With <see cref="NetworkKind.User"/>: TCP ports of the host that lead into the guest. Default: none.</summary>
    public IReadOnlyList<PortForward> Ports { get; init; } = [];

    /// <summary>With <see cref="NetworkKind.Tap"/>: the guest's IPv4 address as ADDRESS/PREFIX. Null: none is set. Default: null.</summary>
    public string? Address { get; init; }

    /// <summary>With <see cref="NetworkKind.Tap"/> and an <see cref="Address"/>: the IPv4 address of the router. Null: none. Default: null.</summary>
    public string? Gateway { get; init; }

    /// <summary>IPv4 addresses for the guest's /etc/resolv.conf. Empty with <see cref="NetworkKind.User"/>: the host's. Default: empty.</summary>
    public IReadOnlyList<string> NameServers { get; init; } = [];

    /// <summary>The most bytes a second in each direction, 0 for no bound. What is over it waits or is lost, as on a slower cable. Default: 0.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>
    /// Pairs of a receive and a transmit queue, up to <see cref="MaxQueuePairCount"/>. With one for each virtual processor, those do not wait for each other
    /// when they send; the host's side is one thread in any case. Default: 1.
    /// </summary>
    public int QueuePairCount { get; init; } = 1;
}

/// <summary>A TCP port of the host that leads into the guest.</summary>
/// <param name="HostPort">1 to 65535.</param>
/// <param name="GuestPort">1 to 65535.</param>
/// <param name="HostAddress">The IPv4 address of the host to listen on. The default is for programs of the host only; "0.0.0.0" is for everybody.</param>
public sealed record PortForward(int HostPort, int GuestPort, string HostAddress = "127.0.0.1");
