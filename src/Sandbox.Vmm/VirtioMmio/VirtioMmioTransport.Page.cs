using Sandbox.Memory;

namespace Sandbox.Vmm.VirtioMmio;

/// <content>
/// The page on which the guest reads the registers: memory of the VMM's that the guest sees where its registers are and cannot write
/// (KVM_MEM_READONLY). A read is no exit; a write is one, and whatever it changes is on the page before the guest goes on.
/// </content>
public sealed partial class VirtioMmioTransport
{
    // A place without a register reads all ones, as from a bus where nobody answers: so a driver sees that there is no shared memory region
    // (4.2.2, SHMLenLow). Behind the configuration there are zeroes, as Read has it.
    private void ClearPage()
    {
        if (_page.LengthBytes != 0)
        {
            Span<byte> none = stackalloc byte[(int)MmioRegister.Config];
            none.Fill(0xFF);
            _page.CopyFrom(0, none);
        }
    }

    // Each register is one aligned write, as it is one aligned read for the driver (4.2.2.2): it sees the old value or the new one.
    private void Show()
    {
        if (_page.LengthBytes == 0)
        {
            return;
        }

        ShowConfig();
        foreach (MmioRegister register in RegisterTable.Readable)
        {
            _page.WriteUInt32Release((uint)register, ReadRegister(register));
        }
    }

    // A driver on another vCPU may be reading meanwhile. One that began before this, or ends after it, finds two generations (2.5.2): so the
    // generation moves twice. One that reads all of it between the two sees the same generation twice and perhaps half of a change: memory
    // cannot tell it more. It is interrupted after that, or at DRIVER_OK, and reads again.
    private void ShowConfigurationChange()
    {
        _configGeneration = unchecked(_configGeneration + 1);
        if (_page.LengthBytes != 0)
        {
            _page.WriteUInt32Release((uint)MmioRegister.ConfigGeneration, _configGeneration);
            ShowConfig();
            _configGeneration = unchecked(_configGeneration + 1);
            _page.WriteUInt32Release((uint)MmioRegister.ConfigGeneration, _configGeneration);
        }
    }

    private void ShowConfig() => _page.CopyFrom((uint)MmioRegister.Config, _backend.Config);

    // What the driver will ask for when the interrupt arrives is there before it.
    private void Interrupt()
    {
        Show();
        _backend.SignalInterrupt();
    }
}
