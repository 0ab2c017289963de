namespace Sandbox.Virtio;

/// <summary>A chain to give back.</summary>
/// <param name="HeadIndex">The descriptor that names it.</param>
/// <param name="WrittenBytes">Bytes written into its writable part.</param>
public readonly record struct UsedChain(ushort HeadIndex, uint WrittenBytes);
