namespace Sandbox.Control;

/// <summary>
/// What the command line tells a device process: what it has to know before it hears anybody, its launch spec included. The launcher
/// writes it; nothing that a guest or a peer says gets there.
/// </summary>
public static class DeviceArguments
{
    /// <summary>A disk whose medium may make a request wait: its process makes the threads that wait, which no filter lets it do later.</summary>
    public const string MediumWaits = "medium-waits";
}
