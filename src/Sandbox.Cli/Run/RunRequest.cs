namespace Sandbox.Cli.Run;

/// <summary>One `sandbox run`.</summary>
/// <param name="MicroVm">The machine.</param>
/// <param name="Exec">The command in it.</param>
/// <param name="Timeout">For both together; null for ever.</param>
/// <param name="PrintTiming">Whether the phases are printed.</param>
/// <param name="WithTerminal">Whether the command gets a terminal, and this process's with it.</param>
internal sealed record RunRequest(MicroVmOptions MicroVm, ExecOptions Exec, TimeSpan? Timeout, bool PrintTiming, bool WithTerminal)
{
    /// <summary>Whether the guest may have something to write back before it goes.</summary>
    public bool HasWritableDisk => MicroVm.Disks.Any(static disk => !disk.ReadOnly)
        || MicroVm.VhostUserDevices.Any(static device => device.Type == VhostUserDeviceType.Block);
}
