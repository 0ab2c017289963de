using Sandbox.Kvm.Abi;
using Sandbox.Linux;

namespace Sandbox.Kvm;

/// <summary>One machine. Every fd and memory range given to it is borrowed by the caller's promise to outlive it.</summary>
public sealed class KvmVm : IDisposable
{
    private readonly FdHandle _fd;
    private readonly int _runBytes;

    internal KvmVm(FdHandle fd, int runBytes)
    {
        _fd = fd;
        _runBytes = runBytes;
    }

    /// <summary>Places the pages that KVM needs on Intel processors without unrestricted guest mode. Comes before the first vCPU.</summary>
    /// <param name="identityMapAddress">A free guest-physical page.</param>
    /// <param name="tssAddress">Three free guest-physical pages below 4 GiB.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void PlaceOwnPages(ulong identityMapAddress, ulong tssAddress)
    {
        ulong identity = identityMapAddress;
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_SET_IDENTITY_MAP_ADDR, ref identity), "KVM_SET_IDENTITY_MAP_ADDR");
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_SET_TSS_ADDR, (nuint)tssAddress), "KVM_SET_TSS_ADDR");
    }

    /// <summary>
    /// Creates the PIC, IOAPIC and local APICs in the kernel. Comes before the first vCPU, and after the memory: the kernel frees what it replaces for
    /// them after a grace period (SRCU), and the next change of memory waits for its end, which takes milliseconds.
    /// </summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void CreateInterruptControllers() => LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_CREATE_IRQCHIP), "KVM_CREATE_IRQCHIP");

    /// <summary>
    /// Takes the performance counters away from the guest: a processor of AMD has four that no CPUID bit hides, and they would
    /// tell a guest about its neighbours. Comes before the first vCPU; does nothing where the kernel (before 5.18) cannot.
    /// </summary>
    /// <param name="capabilities">What KVM_CAP_PMU_CAPABILITY answered.</param>
    /// <exception cref="LinuxException">The kernel can, but refused.</exception>
    public void DisablePerformanceCounters(int capabilities)
    {
        if (((uint)capabilities & KvmConstant.KVM_PMU_CAP_DISABLE) == 0)
        {
            return;
        }

        kvm_enable_cap request = new() { cap = (uint)KvmCapability.KVM_CAP_PMU_CAPABILITY };
        request.args[0] = KvmConstant.KVM_PMU_CAP_DISABLE;
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_ENABLE_CAP, ref request), "KVM_ENABLE_CAP KVM_CAP_PMU_CAPABILITY");
    }

    /// <summary>Shows a mapped range of this process to the guest. The mapping must outlive this machine.</summary>
    /// <param name="slot">A number of its own for each range.</param>
    /// <param name="guestAddress">First guest-physical address, page-aligned.</param>
    /// <param name="lengthBytes">Page-aligned.</param>
    /// <param name="hostAddress">First address in this process, page-aligned.</param>
    /// <param name="readOnly">The guest reads it without an exit; a write of the guest is an exit, as to a register, and changes nothing.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void AddMemory(uint slot, ulong guestAddress, ulong lengthBytes, ulong hostAddress, bool readOnly = false)
    {
        kvm_userspace_memory_region region = new()
        {
            slot = slot,
            flags = readOnly ? KvmConstant.KVM_MEM_READONLY : 0,
            guest_phys_addr = guestAddress,
            memory_size = lengthBytes,
            userspace_addr = hostAddress,
        };
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_SET_USER_MEMORY_REGION, ref region), $"KVM_SET_USER_MEMORY_REGION {lengthBytes} bytes at guest 0x{guestAddress:x}");
    }

    /// <summary>Ties a guest write of exactly <paramref name="value"/> as 32 bits to an eventfd, or unties it. The eventfd is borrowed for the call.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void SetIoEventFd(ulong guestAddress, uint value, int eventFd, bool attach)
    {
        kvm_ioeventfd request = new()
        {
            datamatch = value,
            addr = guestAddress,
            len = sizeof(uint),
            fd = eventFd,
            flags = KvmConstant.KVM_IOEVENTFD_FLAG_DATAMATCH | (attach ? 0 : KvmConstant.KVM_IOEVENTFD_FLAG_DEASSIGN),
        };
        // The guest causes this at every start and reset of a device: the text is made only when it is needed.
        int result = KvmCalls.Call(_fd.Number, KvmIoctl.KVM_IOEVENTFD, ref request);
        if (result < 0)
        {
            throw new LinuxException($"KVM_IOEVENTFD at guest 0x{guestAddress:x}", (Errno)(-result));
        }
    }

    /// <summary>Ties an eventfd to an interrupt line (an edge for each signal), or unties it. The eventfd is borrowed for the call.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void SetIrqFd(uint gsi, int eventFd, bool attach)
    {
        kvm_irqfd request = new()
        {
            fd = (uint)eventFd,
            gsi = gsi,
            flags = attach ? 0 : KvmConstant.KVM_IRQFD_FLAG_DEASSIGN,
        };
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_IRQFD, ref request), $"KVM_IRQFD line {gsi}");
    }

    /// <summary>A new vCPU; its number is its APIC id. Number 0 is the one that starts, the others wait for SIPI.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public KvmVcpu CreateVcpu(int id)
    {
        int fd = LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_CREATE_VCPU, (nuint)id), $"KVM_CREATE_VCPU {id}");
        FdHandle handle = new(fd);
        try
        {
            return new KvmVcpu(id, handle, MemoryMapping.MapShared(fd, 0, (nuint)_runBytes));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _fd.Dispose();
}
