using System.Numerics;

namespace Sandbox.Vmm.Cpu;

/// <summary>One package of single-thread cores; a core's number is its APIC id.</summary>
/// <param name="CpuCount">1 or more.</param>
internal readonly record struct CpuTopology(int CpuCount)
{
    /// <summary>How many bits of an APIC id tell cores apart.</summary>
    public int CoreBits => BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)CpuCount));

    /// <summary>APIC ids reserved for the package: a power of two.</summary>
    public uint ApicIdsPerPackage => 1u << CoreBits;
}
