namespace Sandbox.Virtio.Block;

/// <summary>The last byte of an answered request (virtio 1.2 §5.2.6).</summary>
public enum BlockStatus : byte
{
    Ok = 0,
    IoError = 1,
    Unsupported = 2,
}
