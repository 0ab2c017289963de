namespace Sandbox;

/// <summary>
/// A vsock connection between the guest and a program of yours: the launcher connects to the program's Unix socket at the start, and the device process
/// gets that one connection. What the guest sends is untrusted.
/// </summary>
public sealed class VsockPortOptions
{
    /// <summary>1 to 4294967294, each number once, the host's or the guest's; 1024 is the agent's.</summary>
    public required uint Port { get; init; }

    /// <summary>The Unix stream socket on which the program listens.</summary>
    public required string SocketPath { get; init; }

    /// <summary>
    /// False: the port is the host's (CID 2); the first program of the guest that connects to it gets the connection, another is refused. True: the port is
    /// the guest's; the first program of the guest that listens there gets the connection, which Sandbox makes as soon as it can. Default: false.
    /// </summary>
    public bool GuestListens { get; init; }
}
