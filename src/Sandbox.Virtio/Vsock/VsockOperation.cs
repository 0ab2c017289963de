namespace Sandbox.Virtio.Vsock;

/// <summary>VIRTIO_VSOCK_OP_* (virtio 1.2 §5.10.6).</summary>
public enum VsockOperation : ushort
{
    Invalid = 0,
    Request = 1,
    Response = 2,
    Reset = 3,
    Shutdown = 4,
    Data = 5,
    CreditUpdate = 6,
    CreditRequest = 7,
}

/// <summary>What the sender of a <see cref="VsockOperation.Shutdown"/> will not do any more (§5.10.6.5).</summary>
[Flags]
public enum VsockShutdown : uint
{
    None = 0,
    Receive = 1,
    Send = 2,
    Both = Receive | Send,
}
