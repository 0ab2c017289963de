namespace Sandbox.Kvm.Abi;

/// <summary>What KVM_CHECK_EXTENSION is asked for (linux/kvm.h).</summary>
public enum KvmCapability
{
    KVM_CAP_IRQCHIP = 0,
    KVM_CAP_USER_MEMORY = 3,
    KVM_CAP_SET_TSS_ADDR = 4,
    KVM_CAP_EXT_CPUID = 7,
    KVM_CAP_MP_STATE = 14,
    KVM_CAP_IRQFD = 32,
    KVM_CAP_IOEVENTFD = 36,
    KVM_CAP_SET_IDENTITY_MAP_ADDR = 37,
    KVM_CAP_ADJUST_CLOCK = 39,
    KVM_CAP_MAX_VCPUS = 66,
    KVM_CAP_TSC_DEADLINE_TIMER = 72,
    KVM_CAP_READONLY_MEM = 81,
    KVM_CAP_IMMEDIATE_EXIT = 136,
    KVM_CAP_PMU_CAPABILITY = 212,
}
