namespace Sandbox.Launch;

/// <summary>What a process of a microVM may use of the host, beyond its fds.</summary>
/// <param name="MaxThreads">Threads, with room for those of the .NET runtime.</param>
/// <param name="MaxFileBytes">How long it may make a file: a disk image keeps its size.</param>
/// <param name="MaxAddressSpaceBytes">What it may map, so that page tables have an end too.</param>
internal readonly record struct ProcessLimits(ulong MaxThreads, ulong MaxFileBytes, ulong MaxAddressSpaceBytes);
