using Sandbox.Seccomp;

namespace Sandbox.Confinement.Tests.Proof;

/// <summary>The probe is under the same filter as the process whose place it takes: the same bytes are in both exes.</summary>
public sealed class ProbeFilterTests
{
    [Theory]
    [InlineData("sandbox-vmm", "vmm-start.policy")]
    [InlineData("sandbox-vmm", "vmm.policy")]
    [InlineData("sandbox-vmm", "vmm-vcpu.policy")]
    [InlineData("sandbox-device", "device-start.policy")]
    [InlineData("sandbox-device", "device-block.policy")]
    [InlineData("sandbox-device", "device-entropy.policy")]
    [InlineData("sandbox-device", "device-balloon.policy")]
    [InlineData("sandbox-device", "device-net.policy")]
    [InlineData("sandbox-device", "device-vsock.policy")]
    public void Filter_OfAProbedProcess_IsInTheProbeByteForByte(string exe, string policy)
    {
        byte[] filter = Compile(policy);
        Assert.True(File.ReadAllBytes(Repository.Exe(exe)).AsSpan().IndexOf(filter) >= 0, $"{exe} does not hold {policy} as it is now: run `make build`");
        Assert.True(File.ReadAllBytes(Repository.Exe("sandbox-probe")).AsSpan().IndexOf(filter) >= 0, $"sandbox-probe does not hold {policy}");
    }

    private static byte[] Compile(string policy)
    {
        static string Read(string name) => File.ReadAllText(Path.Combine(Repository.Root, "seccomp", name));
        PolicyParser parser = new(new NameTable("syscalls.txt", Read("syscalls.txt")), new NameTable("constants.txt", Read("constants.txt")), Read);
        return FilterCompiler.ToBytes(FilterCompiler.Compile(parser.Parse(policy), SeccompAction.KillProcess));
    }
}
