using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux.Baits;

/// <summary>
/// System V shared memory that every user of the host may attach by its number: for a probe that must not be able to. It is marked for removal
/// at once, so that it goes with this process, however that ends (shmctl(2), IPC_RMID).
/// </summary>
public static unsafe class BaitMemory
{
    private const int Bytes = 4096;
    private const int EverybodyReadsAndWrites = 0x1B6; // 0666

    /// <summary>Its number (shmid). It stays attached as long as this process lives.</summary>
    /// <exception cref="LinuxException">The kernel refused one.</exception>
    public static int Create()
    {
        nint id = SystemCall(SYS_shmget, IPC_PRIVATE, Bytes, IPC_CREAT | EverybodyReadsAndWrites, 0, 0, 0);
        if (id < 0)
        {
            throw new LinuxException("shmget", (Errno)errno);
        }

        // SAFETY: the kernel chooses where; nothing here looks at the memory.
        nint address = SystemCall(SYS_shmat, id, 0, 0, 0, 0, 0);
        Errno failure = (Errno)errno;
        _ = SystemCall(SYS_shmctl, id, IPC_RMID, 0, 0, 0, 0);
        return address != -1 ? (int)id : throw new LinuxException("shmat", failure);
    }
}
