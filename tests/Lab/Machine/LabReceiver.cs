namespace Sandbox.Lab.Machine;

/// <summary>Takes output bytes of a command.</summary>
public delegate void LabReceiver(ReadOnlySpan<byte> bytes);
