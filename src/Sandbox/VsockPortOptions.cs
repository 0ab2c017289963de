namespace Sandbox;

/// <summary>
/// A port of the host's that the guest can connect to by vsock (CID 2). It leads to a program of yours: the launcher connects to its Unix socket at the
/// start, the device process gets that one connection, and so does the first of the guest that asks for the port; another is refused. What the guest
/// sends is untrusted.
/// </summary>
public sealed class VsockPortOptions
{
    /// <summary>1 to 4294967294; 1024 is the agent's.</summary>
    public required uint Port { get; init; }

    /// <summary>The Unix stream socket on which the program listens.</summary>
    public required string SocketPath { get; init; }
}
