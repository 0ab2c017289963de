namespace Sandbox.Device.Vsock;

/// <summary>Where a mapped port stands. It carries one connection in its life, because its socket is one connection.</summary>
internal enum VsockPhase
{
    /// <summary>No guest program has connected yet, or the guest is to be asked.</summary>
    Waiting,

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
