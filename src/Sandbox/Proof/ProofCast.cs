using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Proof;

/// <summary>The opened executables of a proof, and who starts them.</summary>
internal sealed class ProofCast : IDisposable
{
    private readonly FdHandle _vmm;
    private readonly FdHandle _device;

    public ProofCast(InstallLayout layout)
    {
        _vmm = FileOpen.Read(layout.Vmm);
        _device = FileOpen.Read(layout.Device);
        Probe = FileOpen.Read(layout.Probe);
        Starter = new ProcessStarter(layout.Jail, SandboxSecurity.None, static _ => { });
    }

    public FdHandle Probe { get; }

    public ProcessStarter Starter { get; }

    public FdHandle RealExecutable(ProcessPlan plan) => plan.IsVmm ? _vmm : _device;

    public void Dispose()
    {
        _vmm.Dispose();
        _device.Dispose();
        Probe.Dispose();
        Starter.Dispose();
    }
}
