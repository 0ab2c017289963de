using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Guest.Tests;

/// <summary>The ways a machine ends.</summary>
public sealed class EndTests
{
    [KvmFact]
    public void Reset_ByKeyboardController_EndsAsReset() => MicroVm.Run(new() { Guest = "reset" }).AssertEnded(EndReason.GuestReset);

    [KvmFact]
    public void Fault_WithoutHandlers_EndsAsTripleFault() => MicroVm.Run(new() { Guest = "triple" }).AssertEnded(EndReason.TripleFault);

    [KvmTheory]
    [InlineData("halt")]
    [InlineData("spin")]
    public void Launcher_ClosesControlSocket_EndsAtOnce(string guest)
    {
        using MicroVm vm = MicroVm.Start(new() { Guest = guest, CpuCount = 2 });
        _ = vm.ReadConsoleByte(); // the guest is running

        vm.CloseControl();

        Assert.Equal(new ExitStatus((int)EndReason.LauncherGone, 0), vm.WaitForExit());
    }

    [KvmFact]
    public void Launcher_ClosesConsole_DoesNotEndTheGuest()
    {
        using MicroVm vm = MicroVm.Start(new() { Guest = "flood" });
        _ = vm.ReadConsoleByte();

        vm.CloseConsole();

        Assert.Equal(new ExitStatus((int)EndReason.GuestShutdown, 0), vm.WaitForExit());
    }
}
