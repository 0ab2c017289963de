using Sandbox.Linux.Abi;
using static Sandbox.Linux.Abi.Glibc;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Questions to the kernel that change nothing.</summary>
public static unsafe class HostFeatures
{
    // SAFETY: (where nothing else is said) numbers only, no pointer is passed.
    private const int KVM_GET_API_VERSION = 0xAE00; // _IO(KVMIO, 0x00), linux/kvm.h

    /// <summary>The version of KVM's API, 12 since Linux 2.6.22; or the negated error number.</summary>
    /// <param name="kvm">/dev/kvm, borrowed.</param>
    public static int KvmApiVersion(FdHandle kvm)
    {
        int version = ioctl(kvm.Number, KVM_GET_API_VERSION);
        return version >= 0 ? version : -errno;
    }

    /// <summary>Whether this process may write a file, or make others in a folder (access(2)).</summary>
    public static bool MayWrite(string path)
    {
        // SAFETY: a NUL-terminated pinned path; the kernel only reads it.
        fixed (byte* pointer = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            return access(pointer, W_OK) == 0;
        }
    }

    /// <summary>The version of Landlock's ABI; or the negated error number when the kernel has none or it is not enabled.</summary>
    public static int LandlockAbi()
    {
        nint version = SystemCall(SystemCalls.SYS_landlock_create_ruleset, 0, 0, Constants.LANDLOCK_CREATE_RULESET_VERSION, 0, 0, 0);
        return version >= 0 ? (int)version : -errno;
    }
}
