namespace Sandbox;

/// <summary>
/// A vsock port between the guest and a program of yours: the launcher connects to the program's Unix socket, once at the start, and again for each further
/// connection of the guest's; the device process gets the connections. What the guest sends is untrusted.
/// </summary>
public sealed class VsockPortOptions
{
    /// <summary>1 to 4294967294, each number once, the host's or the guest's; 1024 is the agent's.</summary>
    public required uint Port { get; init; }

    /// <summary>The Unix stream socket on which the program listens.</summary>
    public required string SocketPath { get; init; }

    /// <summary>
    /// False: the port is the host's (CID 2); each program of the guest that connects to it gets a connection of its own, the first the one made at the start. At
    /// most 64 at once beside the first of each port, for all such ports together, and 200 in a second after the first 64; one more is refused, or waits its turn.
    /// One is refused too while nobody listens on the socket, or for a tenth of a second more wait there than its program lets. The path is looked up each time; of a
    /// program that is started anew before the guest's first connection, that one still meets its predecessor. True: the port is the guest's; the first program of the
    /// guest that listens there gets the one connection, which Sandbox makes as soon as it can. Default: false.
    /// </summary>
    public bool GuestListens { get; init; }
}
