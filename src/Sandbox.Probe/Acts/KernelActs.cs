using Sandbox.Control.Proof;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>
/// Parts of the kernel that no sandbox process has business with. What would change the host is asked with an argument that
/// only somebody privileged learns to be wrong: the right is asked first.
/// </summary>
internal static class KernelActs
{
    internal static nint JoinSessionKeyring() => Call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);

    internal static nint AddKey() =>
        Call(SYS_add_key, RawScratch.Put("user\0"u8), RawScratch.Put("sandbox-proof\0"u8), RawScratch.Put("x"u8), 1, KEY_SPEC_PROCESS_KEYRING);

    internal static nint MakeUserFaults() => Call(SYS_userfaultfd, UFFD_USER_MODE_ONLY);

    internal static nint MakeIoRing() => Call(SYS_io_uring_setup, 4, RawScratch.Reserve(RingParameterBytes));

    /// <summary>struct perf_event_attr of the first version: type, size, and the processor clock of this process without the kernel's part.</summary>
    internal static nint CountPerformance()
    {
        const ulong TypeAndSize = PERF_TYPE_SOFTWARE | ((ulong)PERF_ATTR_SIZE_VER0 << 32);
        return Call(SYS_perf_event_open, RawScratch.Put64([TypeAndSize, 0, 0, 0, 0, ExcludeKernel, 0, 0]), 0, -1, -1, 0);
    }

    /// <summary>union bpf_attr of BPF_MAP_CREATE: type, key size, value size, entries.</summary>
    internal static nint MakeBpfMap() => Call(SYS_bpf, BPF_MAP_CREATE, RawScratch.Put32([BPF_MAP_TYPE_ARRAY, 4, 4, 1]), 4 * sizeof(uint));

    internal static nint LoadModule() => Call(SYS_init_module, RawScratch.Put("no module"u8), 9, RawScratch.Put("\0"u8));

    /// <summary>More segments than there may be.</summary>
    internal static nint LoadKernel() => Call(SYS_kexec_load, 0, 1 << 20, 0, 0);

    /// <summary>With wrong magic numbers.</summary>
    internal static nint Reboot() => Call(SYS_reboot, 1, 2, 3, 0);

    internal static nint SwapOn() => Call(SYS_swapon, RawScratch.Put("/sandbox-proof-none\0"u8), 0);

    /// <summary>To what it is already.</summary>
    internal static nint SetHostName()
    {
        nint name = RawScratch.Reserve(UtsNameBytes);
        nint result = Call(SYS_uname, name);
        if (result < 0)
        {
            return result;
        }

        int length = 0;
        while (length < UtsFieldBytes && RawScratch.Bytes(name + UtsFieldBytes, UtsFieldBytes)[length] != 0)
        {
            length++;
        }

        return Call(SYS_sethostname, name + UtsFieldBytes, length);
    }

    /// <summary>SYSLOG_ACTION_READ_ALL (syslog(2)).</summary>
    internal static nint ReadLog() => Call(SYS_syslog, 3, RawScratch.Reserve(UtsNameBytes), UtsNameBytes);

    internal static nint AccessPorts() => Call(SYS_iopl, 3);

    internal static nint Account() => Call(SYS_acct, RawScratch.Put("/sandbox-proof-none\0"u8));

    /// <summary>struct user_desc: entry, base, limit, and a data segment that is not present.</summary>
    internal static nint WriteSegmentDescriptor() => Call(SYS_modify_ldt, 1, RawScratch.Put32([0, 0, 0, NotPresentSegment]), 4 * sizeof(uint));

    /// <summary>Whatever is readable becomes executable from here on.</summary>
    internal static nint LoosenPersonality() => Call(SYS_personality, READ_IMPLIES_EXEC);

    internal static nint AttachSharedMemory(ProbeOrderView order) => Call(SYS_shmat, order.SharedMemoryId, 0, 0);

    internal static nint MakeSharedMemory()
    {
        nint id = Call(SYS_shmget, IPC_PRIVATE, 4096, IPC_CREAT | 0x180);
        if (id >= 0)
        {
            _ = Call(SYS_shmctl, id, IPC_RMID, 0);
        }

        return id;
    }

    private const int RingParameterBytes = 120; // struct io_uring_params
    private const int UtsFieldBytes = 65; // struct new_utsname: the second field is the name
    private const int UtsNameBytes = 6 * UtsFieldBytes;
    private const ulong ExcludeKernel = 1 << 5;
    private const uint NotPresentSegment = 1 << 5;
}
