namespace Sandbox.Vmm.Cpu;

/// <summary>CPUID leaves shown to a guest (Intel SDM vol. 2A "CPUID", AMD APM vol. 3 appendix E, Linux Documentation/virt/kvm/x86/cpuid.rst).</summary>
internal static class CpuidLeaf
{
    public const uint Vendor = 0x0;
    public const uint Features = 0x1;
    public const uint CacheDescriptors = 0x2;
    public const uint IntelCaches = 0x4;
    public const uint ThermalAndPower = 0x6;
    public const uint StructuredFeatures = 0x7;
    public const uint ExtendedTopology = 0xB;
    public const uint ExtendedState = 0xD;
    public const uint TscFrequency = 0x15;
    public const uint ProcessorFrequency = 0x16;
    public const uint ExtendedTopologyV2 = 0x1F;

    public const uint HypervisorSignature = 0x4000_0000;
    public const uint KvmFeatures = 0x4000_0001;

    public const uint ExtendedMaximum = 0x8000_0000;
    public const uint ExtendedFeatures = 0x8000_0001;
    public const uint BrandFirst = 0x8000_0002;
    public const uint BrandLast = 0x8000_0004;
    public const uint AmdL1Caches = 0x8000_0005;
    public const uint AmdL2Caches = 0x8000_0006;
    public const uint AdvancedPower = 0x8000_0007;
    public const uint AddressSizes = 0x8000_0008;
    public const uint AmdTlb = 0x8000_0019;
    public const uint AmdPerformanceHints = 0x8000_001A;
    public const uint AmdCaches = 0x8000_001D;
    public const uint AmdProcessorTopology = 0x8000_001E;
    public const uint AmdFeatures2 = 0x8000_0021;

    /// <summary>
    /// Everything else reads zero: monitor/mwait (5), performance monitoring (0xA, 0x80000022), SGX (0x12), processor trace
    /// (0x14), nested virtualization (0x8000000A), IBS (0x8000001B), memory encryption (0x8000001F), and whatever comes next.
    /// </summary>
    public static bool IsShown(uint leaf) => leaf is
        Vendor or Features or CacheDescriptors or IntelCaches or ThermalAndPower or StructuredFeatures or ExtendedState or
        TscFrequency or ProcessorFrequency or HypervisorSignature or KvmFeatures or ExtendedMaximum or ExtendedFeatures or
        (>= BrandFirst and <= BrandLast) or AmdL1Caches or AmdL2Caches or AdvancedPower or AddressSizes or AmdTlb or
        AmdPerformanceHints or AmdCaches or AmdProcessorTopology or AmdFeatures2;
}
