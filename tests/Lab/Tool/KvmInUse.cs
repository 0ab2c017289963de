using Sandbox.Kvm;
using Sandbox.Linux;

namespace Sandbox.Lab.Tool;

/// <summary>
/// A virtual machine that never runs, there as long as the lab host is. With the first one and after the last one the lab host's kernel changes
/// instructions of its own in place (static keys: whether the scheduler tells KVM of every switch, whether a processor's interrupt controller is
/// off), through a breakpoint that a processor may meet meanwhile. The emulator may go on executing the breakpoint after it is gone: when one
/// processor translates the instruction just while another writes it. Then both meet it for ever, seen in the scheduler. So the first machine
/// is this one, and none is the last.
/// </summary>
internal sealed class KvmInUse : IDisposable
{
    private const ulong IdentityMap = 0xFFFB_C000;
    private const ulong TaskStateSegment = 0xFFFB_D000;

    private readonly KvmSystem _system;
    private readonly KvmVm _vm;
    private readonly KvmVcpu _processor;

    private KvmInUse()
    {
        _system = new KvmSystem(FileOpen.ReadWrite("/dev/kvm"));
        _vm = _system.CreateVm();
        _vm.PlaceOwnPages(IdentityMap, TaskStateSegment);
        _vm.CreateInterruptControllers();
        _processor = _vm.CreateVcpu(0);
    }

    /// <summary>Null where there is no KVM.</summary>
    public static KvmInUse? Begin() => File.Exists("/dev/kvm") ? new KvmInUse() : null;

    public void Dispose()
    {
        _processor.Dispose();
        _vm.Dispose();
        _system.Dispose();
    }
}
