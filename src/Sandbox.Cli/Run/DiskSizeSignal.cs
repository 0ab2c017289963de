using System.Runtime.InteropServices;

namespace Sandbox.Cli.Run;

/// <summary>SIGUSR1: the sizes of the disks' files are looked at again. One that comes before the guest is there waits for it.</summary>
internal sealed class DiskSizeSignal : IDisposable
{
    private const PosixSignal User1 = (PosixSignal)10; // by its number: it has no name there

    private readonly Lock _gate = new();
    private readonly PosixSignalRegistration _registration;
    private MicroVm? _microVm;
    private bool _waits;

    public DiskSizeSignal() => _registration = PosixSignalRegistration.Create(User1, context =>
    {
        context.Cancel = true;
        Update();
    });

    /// <summary>The guest is there.</summary>
    public void GiveTo(MicroVm microVm)
    {
        lock (_gate)
        {
            _microVm = microVm;
            if (!_waits)
            {
                return;
            }
        }

        Update();
    }

    public void Dispose()
    {
        _registration.Dispose();
        lock (_gate)
        {
            _microVm = null;
        }
    }

    private void Update()
    {
        lock (_gate)
        {
            _waits = _microVm is null;
            try
            {
                _ = _microVm?.UpdateDiskSizes();
            }
            catch (SandboxException failure)
            {
                ErrorLine.Print(failure.Message);
            }
        }
    }
}
