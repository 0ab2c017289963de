using Sandbox.Memory;

namespace Sandbox.Vmm.Bus;

/// <summary>
/// The wires between a device and the machine that bypass this process: the kernel signals an eventfd on a guest write, and
/// injects an interrupt when an eventfd is signalled. Every fd is borrowed for the call: the kernel keeps its own reference.
/// </summary>
public interface IMachineWiring
{
    /// <summary>From now on a guest write of <paramref name="value"/> as 32 bits to <paramref name="address"/> signals the eventfd and does not exit (KVM_IOEVENTFD).</summary>
    /// <exception cref="Sandbox.Linux.LinuxException">The kernel refused.</exception>
    void AttachIoEventFd(GuestAddress address, uint value, int eventFd);

    /// <summary>Undoes <see cref="AttachIoEventFd"/> with the same arguments.</summary>
    /// <exception cref="Sandbox.Linux.LinuxException">It was not attached.</exception>
    void DetachIoEventFd(GuestAddress address, uint value, int eventFd);

    /// <summary>From now on a signal of the eventfd raises an edge on interrupt line <paramref name="gsi"/> (KVM_IRQFD).</summary>
    /// <exception cref="Sandbox.Linux.LinuxException">The kernel refused.</exception>
    void AttachIrqFd(uint gsi, int eventFd);

    /// <summary>Undoes <see cref="AttachIrqFd"/> with the same arguments.</summary>
    /// <exception cref="Sandbox.Linux.LinuxException">It was not attached.</exception>
    void DetachIrqFd(uint gsi, int eventFd);
}
