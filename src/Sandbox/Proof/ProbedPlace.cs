using Sandbox.Control.Launch;
using Sandbox.Control.Proof;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Proof;

/// <summary>A process of a sandbox whose place the probe takes.</summary>
/// <param name="name">For the report.</param>
/// <param name="process">What the probe is told.</param>
/// <param name="device">The kind of device process; null: the VMM.</param>
internal sealed class ProbedPlace(string name, ProbedProcess process, DeviceKind? device)
{
    public string Name { get; } = name;

    public ProbedProcess Process { get; } = process;

    public DeviceKind? Device { get; } = device;


    private const int DiskBytes = 1 << 20;
    private const string DiskSerial = "proof";

    public static ProbedPlace Block { get; } = new("sandbox-device (block)", ProbedProcess.BlockDevice, DeviceKind.Block);

    public static IReadOnlyList<ProbedPlace> All { get; } =
    [
        Block,
        new("sandbox-device (vsock)", ProbedProcess.VsockDevice, DeviceKind.Vsock),
        new("sandbox-device (rng)", ProbedProcess.EntropyDevice, DeviceKind.Entropy),
        new("sandbox-device (balloon)", ProbedProcess.BalloonDevice, DeviceKind.Balloon),
        new("sandbox-device (net)", ProbedProcess.NetworkDevice, DeviceKind.Network),
        new("sandbox-vmm (main thread)", ProbedProcess.Vmm, null),
        new("sandbox-vmm (vCPU thread)", ProbedProcess.VmmVcpu, null),
    ];

    /// <summary>A disk that may be written: the block device with the most rights.</summary>
    public static DiskImage MakeDisk()
    {
        FdHandle file = UnnamedFile.Create();
        try
        {
            LinuxException.Check(FdIo.WriteAll(file.Number, new byte[DiskBytes]), "write disk of the proof");
            return DiskImage.Take(file, "of the proof", "disk", readOnly: false, DiskSerial);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The process to leave out of a sandbox: of several block devices the last, which is the disk that may be written.</summary>
    public ProcessPlan Find(IReadOnlyList<ProcessPlan> plans) => plans.Where(plan => plan.Device?.Kind == Device)[^1];
}
