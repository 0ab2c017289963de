namespace Sandbox.Device.Vsock;

/// <summary>Where a connection stands. It is one connection of its socket's, so a slot that is to carry another gets another socket.</summary>
internal enum VsockPhase
{
    /// <summary>There is a socket, but no guest program has connected yet, or the guest is to be asked.</summary>
    Waiting,

    /// <summary>A slot without a connection.</summary>
    Free,

    /// <summary>A guest program has connected; the launcher has not given a socket for it yet.</summary>
    Wanted,

    /// <summary>The guest has been asked for a port of its own and has not answered.</summary>
    Asked,

    Connected,

    /// <summary>The guest's side is over; the bytes it had sent still go to the socket.</summary>
    Draining,

    /// <summary>Both sides are over.</summary>
    Closed,
}

/// <summary>Packets of a connection that wait for a receive buffer. At most one of each: that bounds them.</summary>
[Flags]
internal enum VsockPending
{
    None = 0,
    Reset = 1,
    Response = 2,
    CreditUpdate = 4,
    CreditRequest = 8,
    Shutdown = 16,
    Request = 32,
}
