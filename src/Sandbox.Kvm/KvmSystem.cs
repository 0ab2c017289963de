using Sandbox.Kvm.Abi;
using Sandbox.Linux;

namespace Sandbox.Kvm;

/// <summary>An open /dev/kvm: what this host can do, and the way to a new machine.</summary>
public sealed class KvmSystem : IDisposable
{
    /// <summary>The kernel's own limit is 256 (KVM_MAX_CPUID_ENTRIES); the common need is about 60.</summary>
    private const int MaxCpuidEntries = 256;

    private static readonly KvmCapability[] Needed =
    [
        KvmCapability.KVM_CAP_IRQCHIP, KvmCapability.KVM_CAP_USER_MEMORY, KvmCapability.KVM_CAP_SET_TSS_ADDR,
        KvmCapability.KVM_CAP_EXT_CPUID, KvmCapability.KVM_CAP_MP_STATE, KvmCapability.KVM_CAP_IRQFD,
        KvmCapability.KVM_CAP_IOEVENTFD, KvmCapability.KVM_CAP_SET_IDENTITY_MAP_ADDR, KvmCapability.KVM_CAP_IMMEDIATE_EXIT,
        KvmCapability.KVM_CAP_READONLY_MEM,
    ];

    private readonly FdHandle _fd;

    /// <summary>Takes an open /dev/kvm, to be closed with this object, and asks whether it is one that this project can use.</summary>
    /// <exception cref="LinuxException">It is no KVM device, its version is not 12, or it lacks something needed (ENOSYS names it).</exception>
    public KvmSystem(FdHandle fd)
    {
        _fd = fd;
        int version = LinuxException.Check(KvmCalls.Call(fd.Number, KvmIoctl.KVM_GET_API_VERSION), "KVM_GET_API_VERSION on /dev/kvm");
        if (version != KvmConstant.KVM_API_VERSION)
        {
            throw new LinuxException($"KVM API version {version}, not {KvmConstant.KVM_API_VERSION}", Errno.ENOSYS);
        }

        foreach (KvmCapability capability in Needed)
        {
            if (CheckExtension(capability) == 0)
            {
                throw new LinuxException($"{capability} of /dev/kvm", Errno.ENOSYS);
            }
        }
    }

    /// <summary>How many vCPUs one machine can have at most.</summary>
    public int MaxVcpus => CheckExtension(KvmCapability.KVM_CAP_MAX_VCPUS);

    /// <summary>0 where the kernel lacks it, else 1 or the figure that the capability stands for.</summary>
    public int CheckExtension(KvmCapability capability) =>
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_CHECK_EXTENSION, (nuint)capability), "KVM_CHECK_EXTENSION");

    /// <summary>What the processor and KVM can show a guest (KVM_GET_SUPPORTED_CPUID), unfiltered.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public kvm_cpuid_entry2[] GetSupportedCpuid()
    {
        byte[] buffer = CpuidBuffer.Create(MaxCpuidEntries);
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_GET_SUPPORTED_CPUID, buffer), "KVM_GET_SUPPORTED_CPUID");
        return CpuidBuffer.Entries(buffer).ToArray();
    }

    /// <summary>A new machine: no memory, no vCPU, no interrupt controller yet.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public KvmVm CreateVm()
    {
        int vm = LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_CREATE_VM), "KVM_CREATE_VM");
        int runBytes = LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_GET_VCPU_MMAP_SIZE), "KVM_GET_VCPU_MMAP_SIZE");
        return new KvmVm(new FdHandle(vm), runBytes);
    }

    public void Dispose() => _fd.Dispose();
}
