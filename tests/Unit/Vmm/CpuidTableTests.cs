using Sandbox.Kvm.Abi;
using Sandbox.Vmm.Cpu;

namespace Sandbox.Unit.Tests.Vmm;

/// <summary>A host that supports everything shows a guest only what is meant for it.</summary>
public sealed class CpuidTableTests
{
    // Every bit set in every leaf that a host could report, so that what the guest sees is what the filter lets through.
    private static readonly kvm_cpuid_entry2[] Host =
    [
        .. new uint[]
        {
            0x0, 0x1, 0x2, 0x5, 0x6, 0xA, 0x12, 0x14, 0x15, 0x16, 0x1C, 0x1F, 0x4000_0000, 0x4000_0001, 0x8000_0000, 0x8000_0001, 0x8000_0002,
            0x8000_0007, 0x8000_0008, 0x8000_000A, 0x8000_001B, 0x8000_001E, 0x8000_001F, 0x8000_0021, 0x8000_0022,
        }.Select(leaf => Full(leaf, 0)),
        Full(0x7, 0), Full(0x7, 1), Full(0xD, 0), Full(0xD, 1),
        Cache(0x4, 0, level: 1), Cache(0x4, 3, level: 3), Cache(0x8000_001D, 0, level: 1), Cache(0x8000_001D, 3, level: 3),
    ];

    [Theory]
    [InlineData(0x5u)] // MONITOR
    [InlineData(0xAu)] // performance monitoring
    [InlineData(0x12u)] // SGX
    [InlineData(0x14u)] // processor trace
    [InlineData(0x1Cu)] // last-branch records
    [InlineData(0x8000_000Au)] // SVM
    [InlineData(0x8000_001Bu)] // IBS
    [InlineData(0x8000_001Fu)] // memory encryption
    [InlineData(0x8000_0022u)] // performance monitoring, second version
    public void Table_LeafOfSomethingWithheld_IsNotThere(uint leaf) => Assert.DoesNotContain(Table(), entry => entry.function == leaf);

    [Theory]
    [InlineData(0x1u, 0u, 'c', 5)] // VMX
    [InlineData(0x1u, 0u, 'c', 3)] // MONITOR
    [InlineData(0x1u, 0u, 'c', 15)] // performance capabilities
    [InlineData(0x1u, 0u, 'd', 21)] // debug store
    [InlineData(0x7u, 0u, 'b', 2)] // SGX
    [InlineData(0x7u, 0u, 'b', 25)] // processor trace
    [InlineData(0x8000_0001u, 0u, 'c', 2)] // SVM
    [InlineData(0x8000_0001u, 0u, 'c', 23)] // performance counters
    [InlineData(0x4000_0001u, 0u, 'a', 15)] // extended destination ids, which need the VMM's help
    public void Table_BitOfSomethingWithheld_IsClear(uint leaf, uint index, char register, int bit) =>
        Assert.Equal(0u, (Register(Find(Table(), leaf, index), register) >> bit) & 1);

    [Theory]
    [InlineData(0x1u, 0u, 'c', 31)] // hypervisor
    [InlineData(0x1u, 0u, 'c', 21)] // x2APIC
    [InlineData(0x1u, 0u, 'c', 24)] // TSC deadline
    [InlineData(0x4000_0001u, 0u, 'a', 3)] // kvmclock
    [InlineData(0x4000_0001u, 0u, 'a', 24)] // kvmclock is stable
    [InlineData(0x8000_0007u, 0u, 'd', 8)] // invariant TSC
    public void Table_BitThatLinuxNeeds_IsSet(uint leaf, uint index, char register, int bit) =>
        Assert.Equal(1u, (Register(Find(Table(), leaf, index), register) >> bit) & 1);

    [Fact]
    public void Table_HostWithoutDeadlineTimer_DoesNotShowOne()
    {
        kvm_cpuid_entry2[] table = CpuidTable.Create(Host, new CpuTopology(1), apicId: 0, tscDeadline: false);

        Assert.Equal(0u, (Find(table, 0x1).ecx >> 24) & 1);
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 2, 2)]
    [InlineData(5, 4, 3)]
    [InlineData(64, 63, 6)]
    public void Table_Topology_SaysTheSameInEveryLeaf(int cpus, int apicId, int coreBits)
    {
        kvm_cpuid_entry2[] table = CpuidTable.Create(Host, new CpuTopology(cpus), apicId, tscDeadline: true);

        kvm_cpuid_entry2 features = Find(table, 0x1);
        Assert.Equal((uint)apicId, features.ebx >> 24);
        Assert.Equal(1u << coreBits, (features.ebx >> 16) & 0xFF);
        Assert.Equal(cpus > 1 ? 1u : 0u, (features.edx >> 28) & 1);

        Assert.Equal((1u << coreBits) - 1, Find(table, 0x4).eax >> 26);
        foreach (uint leaf in new uint[] { 0x4, 0x8000_001D })
        {
            Assert.Equal(0u, (Find(table, leaf).eax >> 14) & 0xFFF); // first level: one core's own
            Assert.Equal((1u << coreBits) - 1, (Find(table, leaf, 3).eax >> 14) & 0xFFF); // third: the package's
        }

        foreach (uint leaf in new uint[] { 0xB, 0x1F })
        {
            kvm_cpuid_entry2 threads = Find(table, leaf);
            kvm_cpuid_entry2 cores = Find(table, leaf, 1);
            Assert.Equal((0u, 1u, 0x100u, (uint)apicId), (threads.eax, threads.ebx, threads.ecx, threads.edx));
            Assert.Equal(((uint)coreBits, (uint)cpus, 0x201u, (uint)apicId), (cores.eax, cores.ebx, cores.ecx, cores.edx));
            Assert.Equal((0u, 0u, 2u), (Find(table, leaf, 2).eax, Find(table, leaf, 2).ebx, Find(table, leaf, 2).ecx));
        }

        Assert.Equal((uint)(cpus - 1) | ((uint)coreBits << 12), Find(table, 0x8000_0008).ecx);
        kvm_cpuid_entry2 amd = Find(table, 0x8000_001E);
        Assert.Equal(((uint)apicId, (uint)apicId, 0u), (amd.eax, amd.ebx, amd.ecx));
    }

    private static kvm_cpuid_entry2[] Table() => CpuidTable.Create(Host, new CpuTopology(2), apicId: 1, tscDeadline: true);

    private static kvm_cpuid_entry2 Find(kvm_cpuid_entry2[] table, uint leaf, uint index = 0) =>
        table.Single(entry => entry.function == leaf && entry.index == index);

    private static uint Register(kvm_cpuid_entry2 entry, char register) => register switch
    {
        'a' => entry.eax,
        'b' => entry.ebx,
        'c' => entry.ecx,
        _ => entry.edx,
    };

    private static kvm_cpuid_entry2 Full(uint leaf, uint index) =>
        new() { function = leaf, index = index, eax = uint.MaxValue, ebx = uint.MaxValue, ecx = uint.MaxValue, edx = uint.MaxValue };

    private static kvm_cpuid_entry2 Cache(uint leaf, uint index, uint level) => Full(leaf, index) with { eax = (uint.MaxValue & ~(7u << 5)) | (level << 5) };
}
