namespace Sandbox.Kvm.Abi;

/// <summary>Numbers that go into or come out of the ioctls (linux/kvm.h).</summary>
public static class KvmConstant
{
    public const uint KVM_API_VERSION = 12;

    public const uint KVM_EXIT_UNKNOWN = 0;
    public const uint KVM_EXIT_IO = 2;
    public const uint KVM_EXIT_HLT = 5;
    public const uint KVM_EXIT_MMIO = 6;
    public const uint KVM_EXIT_SHUTDOWN = 8;
    public const uint KVM_EXIT_FAIL_ENTRY = 9;
    public const uint KVM_EXIT_INTR = 10;
    public const uint KVM_EXIT_INTERNAL_ERROR = 17;
    public const uint KVM_EXIT_SYSTEM_EVENT = 24;

    public const byte KVM_EXIT_IO_OUT = 1;

    public const uint KVM_MEM_READONLY = 1 << 1;

    public const uint KVM_IOEVENTFD_FLAG_DATAMATCH = 1 << 0;
    public const uint KVM_IOEVENTFD_FLAG_DEASSIGN = 1 << 2;
    public const uint KVM_IRQFD_FLAG_DEASSIGN = 1 << 0;

    public const uint KVM_PMU_CAP_DISABLE = 1 << 0;

    public const uint KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1 << 0;

    public const uint KVM_MP_STATE_RUNNABLE = 0;
    public const uint KVM_MP_STATE_UNINITIALIZED = 1;
}
