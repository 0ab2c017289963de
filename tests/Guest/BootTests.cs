using Sandbox.Control.Launch;

namespace Sandbox.Guest.Tests;

/// <summary>How a kernel is entered, and which are refused.</summary>
public sealed class BootTests
{
    [KvmFact]
    public void Linux64Entry_CommandLineAndRamDisk_AreWhereTheZeroPageSays()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "bootinfo", CommandLine = "first second=3", Initrd = [0x7E, 1, 2] });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("first second=3", result["command-line"]);
        Assert.Equal("e0000", result["rsdp"]);
        Assert.Equal("3", result["ramdisk-bytes"]);
        Assert.Equal("7e", result["ramdisk-first"]);
        Assert.Equal("0", result["interrupts-on"]);
    }

    [KvmFact]
    public void PvhEntry_CommandLine_IsWhereTheStartInfoSays()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "pvh", CommandLine = "by the PVH note" });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("by the PVH note\n", result.Console);
    }

    [KvmFact]
    public void Phases_OfAStart_ComeInOrder()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "reset" });

        Assert.Equal([VmmPhase.KernelLoaded, VmmPhase.DevicesAttached, VmmPhase.FirstVcpuRun], result.Phases.Select(phase => phase.Phase));
        Assert.Equal(result.Phases.OrderBy(phase => phase.MonotonicNanoseconds), result.Phases);
    }

    [KvmFact]
    public void Kernel_TextFile_IsRejectedWithTheCure()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "this is no kernel\n");
            MicroVmResult result = MicroVm.Run(new() { Kernel = path });

            result.AssertEnded(EndReason.KernelRejected);
            Assert.Contains("text file", result.Ended!.Value.Text, StringComparison.Ordinal);
            Assert.Empty(result.Phases);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
