namespace Sandbox.Memory;

/// <summary>A run of guest-physical addresses backed by a run of a file.</summary>
/// <param name="Start">First guest-physical address.</param>
/// <param name="LengthBytes">Length in bytes, not zero.</param>
/// <param name="FileOffset">Where the run begins in the file, in bytes.</param>
public readonly record struct GuestMemoryRegion(GuestAddress Start, ulong LengthBytes, ulong FileOffset);
