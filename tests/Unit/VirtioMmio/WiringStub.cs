using Sandbox.Memory;
using Sandbox.Vmm.Bus;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>Notes what would have been attached in the kernel.</summary>
internal sealed class WiringStub : IMachineWiring
{
    public Dictionary<(ulong Address, uint Value), int> IoEventFds { get; } = [];

    public Dictionary<uint, int> IrqFds { get; } = [];

    public void AttachIoEventFd(GuestAddress address, uint value, int eventFd) => IoEventFds.Add((address.Value, value), eventFd);

    public void DetachIoEventFd(GuestAddress address, uint value, int eventFd)
    {
        Assert.True(IoEventFds.Remove((address.Value, value), out int attached));
        Assert.Equal(attached, eventFd);
    }

    public void AttachIrqFd(uint gsi, int eventFd) => IrqFds.Add(gsi, eventFd);

    public void DetachIrqFd(uint gsi, int eventFd) => Assert.True(IrqFds.Remove(gsi));
}
