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

    [KvmFact]
    public void Instruction_ThatKvmCannotEmulate_EndsWithItsSuberror()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "unemulated" });

        result.AssertEnded(EndReason.InternalError);
        Assert.Equal(1ul, result.Ended!.Value.Detail); // KVM_INTERNAL_ERROR_EMULATION
    }

    [KvmFact]
    public void KvmDevice_IsSomethingElse_EndsWithTheCallAndItsError()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "reset", KvmDevice = "/dev/null" });

        result.AssertEnded(EndReason.HostFailure);
        Assert.Equal((ulong)Errno.ENOTTY, result.Ended!.Value.Detail);
        Assert.Contains("/dev/kvm", result.Ended.Value.Text, StringComparison.Ordinal);
    }

    [KvmFact]
    public void LaunchSpec_OfAnotherVersion_IsRejected()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "reset", SpecFrame = [0, 0, 0, 0, 99, 0, 1, 0] });

        result.AssertEnded(EndReason.SpecRejected);
        Assert.Equal((ulong)LaunchFault.WrongVersion, result.Ended!.Value.Detail);
    }

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
