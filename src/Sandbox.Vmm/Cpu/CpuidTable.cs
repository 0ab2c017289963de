using Sandbox.Kvm.Abi;
using static Sandbox.Vmm.Cpu.CpuidLeaf;

namespace Sandbox.Vmm.Cpu;

/// <summary>
/// What CPUID answers on one vCPU: what the host's processor and KVM can do, without nested virtualization and performance
/// monitoring, and with a topology of our own in the place of the host's.
/// </summary>
internal static class CpuidTable
{
    /// <summary>Builds the table of vCPU <paramref name="apicId"/>.</summary>
    /// <param name="supported">KVM_GET_SUPPORTED_CPUID.</param>
    /// <param name="topology">The guest's.</param>
    /// <param name="apicId">Below the topology's count.</param>
    /// <param name="tscDeadline">KVM_CAP_TSC_DEADLINE_TIMER: kernels before 6.5 do not report it among the leaves.</param>
    public static kvm_cpuid_entry2[] Create(ReadOnlySpan<kvm_cpuid_entry2> supported, CpuTopology topology, int apicId, bool tscDeadline)
    {
        List<kvm_cpuid_entry2> table = new(supported.Length + 4);
        bool hasTopologyV2 = false;
        foreach (ref readonly kvm_cpuid_entry2 source in supported)
        {
            hasTopologyV2 |= source.function == ExtendedTopologyV2;
            if (IsShown(source.function))
            {
                kvm_cpuid_entry2 entry = source;
                Adjust(ref entry, topology, (uint)apicId, tscDeadline);
                table.Add(entry);
            }
        }

        AddExtendedTopology(table, ExtendedTopology, topology, (uint)apicId);
        if (hasTopologyV2)
        {
            AddExtendedTopology(table, ExtendedTopologyV2, topology, (uint)apicId);
        }

        return [.. table];
    }

    private static void Adjust(ref kvm_cpuid_entry2 entry, CpuTopology topology, uint apicId, bool tscDeadline)
    {
        switch (entry.function)
        {
            case Vendor:
                entry.eax = Math.Clamp(entry.eax, ExtendedTopology, ExtendedTopologyV2);
                break;
            case Features:
                AdjustFeatures(ref entry, topology, apicId, tscDeadline);
                break;
            case IntelCaches:
                AdjustCacheSharing(ref entry, topology);
                entry.eax = (entry.eax & 0x03FF_FFFF) | ((topology.ApicIdsPerPackage - 1) << 26);
                break;
            case ThermalAndPower:
                // Only ARAT: the APIC timer runs in every sleep state. No frequency counters.
                (entry.eax, entry.ebx, entry.ecx, entry.edx) = (1u << 2, 0, 0, 0);
                break;
            case StructuredFeatures when entry.index == 0:
                entry.ebx &= ~((1u << 2) | (1u << 25)); // SGX, processor trace
                entry.edx &= ~(1u << 19); // architectural last-branch records
                break;
            case KvmFeatures:
                entry.eax &= KvmFeaturesShown;
                entry.edx = 0;
                break;
            case ExtendedMaximum:
                entry.eax = Math.Min(entry.eax, AmdFeatures2);
                break;
            case ExtendedFeatures:
                // SVM, instruction-based sampling, watchdog, the three performance counter extensions.
                entry.ecx &= ~((1u << 2) | (1u << 10) | (1u << 13) | (1u << 23) | (1u << 24) | (1u << 28));
                break;
            case AdvancedPower:
                (entry.eax, entry.ebx, entry.ecx) = (0, 0, 0);
                entry.edx &= 1u << 8; // invariant TSC
                break;
            case AddressSizes:
                entry.ecx = (uint)(topology.CpuCount - 1) | ((uint)topology.CoreBits << 12);
                break;
            case AmdCaches:
                AdjustCacheSharing(ref entry, topology);
                break;
            case AmdProcessorTopology:
                // APIC id; one thread a core, the core's number; node 0 of 1.
                (entry.eax, entry.ebx, entry.ecx, entry.edx) = (apicId, apicId & 0xFF, 0, 0);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// CLOCKSOURCE, NOP_IO_DELAY, CLOCKSOURCE2, ASYNC_PF, STEAL_TIME, PV_EOI, PV_UNHALT, PV_TLB_FLUSH, ASYNC_PF_VMEXIT,
    /// PV_SEND_IPI, POLL_CONTROL, PV_SCHED_YIELD, ASYNC_PF_INT, CLOCKSOURCE_STABLE: each is served by KVM alone.
    /// </summary>
    private const uint KvmFeaturesShown =
        (1u << 0) | (1u << 1) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 7) | (1u << 9) | (1u << 10) |
        (1u << 11) | (1u << 12) | (1u << 13) | (1u << 14) | (1u << 24);

    private static void AdjustFeatures(ref kvm_cpuid_entry2 entry, CpuTopology topology, uint apicId, bool tscDeadline)
    {
        entry.ebx = (entry.ebx & 0x0000_FFFF) | (topology.ApicIdsPerPackage << 16) | (apicId << 24);

        // 64-bit debug store, MONITOR, debug store qualification, VMX, SMX, performance capabilities.
        entry.ecx &= ~((1u << 2) | (1u << 3) | (1u << 4) | (1u << 5) | (1u << 6) | (1u << 15));
        entry.ecx |= (1u << 21) | (1u << 31); // x2APIC, which the kernel's APIC always has; "a hypervisor is present"
        entry.ecx = tscDeadline ? entry.ecx | (1u << 24) : entry.ecx & ~(1u << 24);

        entry.edx &= ~((1u << 21) | (1u << 28)); // debug store; several threads or cores
        entry.edx |= topology.CpuCount > 1 ? 1u << 28 : 0;
    }

    /// <summary>Leaves 4 and 0x8000001D alike: the first two levels belong to a core, a third to the package.</summary>
    private static void AdjustCacheSharing(ref kvm_cpuid_entry2 entry, CpuTopology topology)
    {
        uint level = (entry.eax >> 5) & 0x7;
        uint sharing = level >= 3 ? topology.ApicIdsPerPackage - 1 : 0;
        entry.eax = (entry.eax & ~(0xFFFu << 14)) | (sharing << 14);
    }

    /// <summary>Level 0: one thread a core. Level 1: the cores of the package. Level 2: no more.</summary>
    private static void AddExtendedTopology(List<kvm_cpuid_entry2> table, uint leaf, CpuTopology topology, uint apicId)
    {
        const uint ThreadLevel = 1 << 8;
        const uint CoreLevel = 2 << 8;
        table.Add(Level(0, shift: 0, count: 1, ThreadLevel));
        table.Add(Level(1, (uint)topology.CoreBits, (uint)topology.CpuCount, CoreLevel));
        table.Add(Level(2, shift: 0, count: 0, type: 0));

        kvm_cpuid_entry2 Level(uint index, uint shift, uint count, uint type) => new()
        {
            function = leaf,
            index = index,
            flags = KvmConstant.KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
            eax = shift,
            ebx = count,
            ecx = index | type,
            edx = apicId,
        };
    }
}
