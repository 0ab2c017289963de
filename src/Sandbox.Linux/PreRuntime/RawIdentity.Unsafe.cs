using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.Abi.YoungConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>User, groups, capabilities and what a process may gain, before the runtime exists. Every method returns the negated error number when it fails.</summary>
public static unsafe class RawIdentity
{
    public static uint EffectiveUser => unchecked((uint)Call(SYS_geteuid)); // cannot fail; should it, no such user can be mapped

    public static uint EffectiveGroup => unchecked((uint)Call(SYS_getegid));

    /// <summary>setgroups(0): no supplementary group.</summary>
    public static nint ClearGroups() => Call(SYS_setgroups, 0, 0);

    /// <summary>Real, effective and saved group, hence the one for files too.</summary>
    public static nint SetGroup(uint group) => Call(SYS_setresgid, (nint)group, (nint)group, (nint)group);

    /// <summary>Real, effective and saved user, hence the one for files too.</summary>
    public static nint SetUser(uint user) => Call(SYS_setresuid, (nint)user, (nint)user, (nint)user);

    /// <summary>The permitted capabilities survive the change from root to another user (PR_SET_KEEPCAPS).</summary>
    public static nint KeepCapabilities() => Call(SYS_prctl, PR_SET_KEEPCAPS, 1);

    /// <summary>Sets the effective and permitted set to exactly <paramref name="capabilities"/> and the inheritable one to nothing (capset(2), version 3).</summary>
    public static nint SetCapabilities(ulong capabilities)
    {
        uint* header = stackalloc uint[2];
        header[0] = _LINUX_CAPABILITY_VERSION_3;
        header[1] = 0; // this thread
        uint* data = stackalloc uint[6]; // two of struct __user_cap_data_struct: effective, permitted, inheritable
        data[0] = data[1] = unchecked((uint)capabilities);
        data[3] = data[4] = (uint)(capabilities >> 32);
        data[2] = data[5] = 0;
        // SAFETY: header and data are as large as version 3 says.
        return Call(SYS_capset, (nint)header, (nint)data);
    }

    /// <summary>Takes a capability out of the bounding set. -EINVAL: this kernel has none of that number.</summary>
    public static nint DropFromBoundingSet(int capability) => Call(SYS_prctl, PR_CAPBSET_DROP, capability);

    public static nint ClearAmbientSet() => Call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);

    /// <summary>securebits (capabilities(7)).</summary>
    public static nint SetSecureBits(int bits) => Call(SYS_prctl, PR_SET_SECUREBITS, bits);

    /// <summary>No exec gains anything from here on, and none of the descendants' does.</summary>
    public static nint SetNoNewPrivileges() => Call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);

    /// <summary>No mapping is ever writable and executable or becomes executable (PR_MDWE_REFUSE_EXEC_GAIN). -EINVAL before Linux 6.3.</summary>
    public static nint RefuseExecutableMemory() => Call(SYS_prctl, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN);

    /// <summary>Whether processes of the same user may look into this one, and who owns its files in /proc.</summary>
    public static nint SetDumpable(bool dumpable) => Call(SYS_prctl, PR_SET_DUMPABLE, dumpable ? 1 : 0);
}
