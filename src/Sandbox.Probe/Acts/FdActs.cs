using Sandbox.Control.Proof;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>What can be done to the fds that a process was given, beyond what it was given them for.</summary>
internal static class FdActs
{
    private const int HighestFd = 255; // SpawnSpec.MaxChildNumber

    /// <summary>A call with each number that could be an open fd as first argument. Done as soon as one is; else the last refusal of an open one.</summary>
    internal static nint OnEvery(nint call, nint argument1 = 0, nint argument2 = 0)
    {
        nint refusal = -9; // EBADF, where nothing is open at all
        for (int fd = 0; fd <= HighestFd; fd++)
        {
            nint result = Call(call, fd, argument1, argument2);
            if (result >= 0)
            {
                return result;
            }

            refusal = result == -9 ? refusal : result;
        }

        return refusal;
    }

    /// <summary>A byte into the input of a terminal, which its shell then reads (CVE-2023-2002 and its many brothers).</summary>
    internal static nint FakeTerminalInput() => OnEvery(SYS_ioctl, TIOCSTI, RawScratch.Put("\n"u8));

    internal static nint TakeTerminal() => OnEvery(SYS_ioctl, TIOCSCTTY, 1);

    internal static nint MakeVirtualMachine() => OnEvery(SYS_ioctl, KVM_CREATE_VM);

    /// <summary>A request that no VMM of ours makes, to every fd: struct kvm_create_device, only asking whether it would work.</summary>
    internal static nint ForeignKvmRequest() =>
        OnEvery(SYS_ioctl, unchecked((nint)KVM_CREATE_DEVICE), RawScratch.Put32([KVM_DEV_TYPE_VFIO, 0, KVM_CREATE_DEVICE_TEST]));

    internal static nint AskFileFlags() => OnEvery(SYS_ioctl, unchecked((nint)FS_IOC_GETFLAGS), RawScratch.Reserve(sizeof(long)));

    internal static nint AskPendingBytes() => OnEvery(SYS_ioctl, FIONREAD, RawScratch.Reserve(sizeof(long)));

    /// <summary>The disk's image to nothing.</summary>
    internal static nint TruncateBacking(ProbeOrderView order) => Call(SYS_ftruncate, order.BackingFd, 0);

    internal static nint WriteBeyondLimit(ProbeOrderView order)
    {
        nint vector = RawScratch.Put64([(ulong)RawScratch.Put("beyond"u8), 6]); // one struct iovec
        return Call(SYS_pwritev, order.BackingFd, vector, 1, (nint)order.BackingBytes, 0);
    }

    internal static nint ResizeGuestMemory(ProbeOrderView order) => Call(SYS_ftruncate, order.GuestMemoryFd, 0);

    internal static nint Duplicate() => Call(SYS_dup, 2);

    internal static nint Replace() => Call(SYS_dup2, 2, 0);

    /// <summary>Signals of an fd to a process of the outside (fcntl(2), F_SETOWN).</summary>
    internal static nint OwnSignals(ProbeOrderView order) => Call(SYS_fcntl, 3, F_SETOWN, order.OtherPid);
}
