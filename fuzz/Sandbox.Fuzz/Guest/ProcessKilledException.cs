namespace Sandbox.Fuzz.Guest;

/// <summary>The device's process dies here, between two accesses to memory that it shares with others.</summary>
internal sealed class ProcessKilledException : Exception;
