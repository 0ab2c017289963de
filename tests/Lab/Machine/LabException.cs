namespace Sandbox.Lab.Machine;

/// <summary>The lab host itself failed: it did not boot, or it died under a command.</summary>
public sealed class LabException(string message) : Exception(message);
