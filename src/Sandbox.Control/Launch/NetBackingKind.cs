namespace Sandbox.Control.Launch;

/// <summary>What the fd behind a network device is.</summary>
public enum NetBackingKind
{
    /// <summary>Connected AF_UNIX stream socket; a big-endian u32 before each frame says its length.</summary>
    Stream = 0,

    /// <summary>A tap interface: one frame a read or write, a virtio header of 12 bytes before it.</summary>
    Tap = 1,
}
