namespace Sandbox.Cli.Run;

/// <summary>One `sandbox run`.</summary>
/// <param name="microVm">The machine.</param>
/// <param name="exec">The command in it.</param>
/// <param name="timeout">For both together; null for ever.</param>
/// <param name="printTiming">Whether the phases are printed.</param>
/// <param name="withTerminal">Whether the command gets a terminal, and this process's with it.</param>
/// <param name="verbose">Whether limits that are not held are named.</param>
internal sealed class RunRequest(MicroVmOptions microVm, ExecOptions exec, TimeSpan? timeout, bool printTiming, bool withTerminal, bool verbose)
{
    public MicroVmOptions MicroVm { get; } = microVm;

    public ExecOptions Exec { get; } = exec;

    public TimeSpan? Timeout { get; } = timeout;

    public bool PrintTiming { get; } = printTiming;

    public bool WithTerminal { get; } = withTerminal;

    public bool Verbose { get; } = verbose;

    /// <summary>Whether the guest may have something to write back before it goes.</summary>
    public bool HasWritableDisk
    {
        get
        {
            foreach (DiskOptions disk in MicroVm.Disks)
            {
                if (!disk.ReadOnly)
                {
                    return true;
                }
            }

            foreach (VhostUserDeviceOptions device in MicroVm.VhostUserDevices)
            {
                if (device.Type == VhostUserDeviceType.Block)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
