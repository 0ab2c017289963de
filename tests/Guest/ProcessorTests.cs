using Sandbox.Control.Launch;

namespace Sandbox.Guest.Tests;

/// <summary>Several vCPUs.</summary>
public sealed class ProcessorTests
{
    [KvmTheory]
    [InlineData(2)]
    [InlineData(8)]
    public void Vcpus_WokenBySipi_AllCome(int count)
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "smp", CommandLine = $"{count}", CpuCount = count });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("0", result["boot-apic"]);
        Assert.Equal($"{count - 1}", result["woken"]);
    }
}
