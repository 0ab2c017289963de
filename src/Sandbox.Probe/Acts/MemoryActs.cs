using Sandbox.Control.Proof;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Code of its own, memory that nobody sees, and more of anything than its share.</summary>
internal static class MemoryActs
{
    private const int PageBytes = 4096;
    private const long PieceBytes = 1L << 30;
    private const int Pieces = 4096; // 4 TiB in all: no guest of ours is larger than 1 TiB
    private const int ManyFds = 300; // RLIMIT_NOFILE of a sandbox process is 256

    internal static nint MapWritableCode() => Map(PageBytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    internal static nint MakeDataExecutable()
    {
        nint page = Map(PageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        return page < 0 ? page : Call(SYS_mprotect, page, PageBytes, PROT_READ | PROT_EXEC);
    }

    /// <summary>The guest wrote the code.</summary>
    internal static nint MapFileExecutable(ProbeOrderView order) => Map(PageBytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, order.GuestMemoryFd);

    internal static nint MakeFile() => Call(SYS_memfd_create, RawScratch.Put("file\0"u8), 0);

    internal static nint MakeSecret() => Call(SYS_memfd_secret, 0);

    /// <summary>What is locked is taken from everybody else.</summary>
    internal static nint Lock()
    {
        nint page = Map(PageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        return page < 0 ? page : Call(SYS_mlock, page, PageBytes);
    }

    internal static nint LockAll() => Call(SYS_mlockall, MCL_CURRENT);

    internal static nint ExhaustAddressSpace() => MapAgainAndAgain(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

    /// <summary>As a device process maps guest memory, which its filter lets it do: each mapping costs page tables as soon as it is used.</summary>
    internal static nint ExhaustWithGuestMemory(ProbeOrderView order) => MapAgainAndAgain(MAP_SHARED | MAP_NORESERVE, order.GuestMemoryFd);

    private static nint MapAgainAndAgain(int flags, int fd)
    {
        nint result = 0;
        for (int count = 0; count < Pieces && result >= 0; count++)
        {
            result = Map((nint)PieceBytes, PROT_READ | PROT_WRITE, flags, fd);
        }

        return result;
    }

    internal static nint ExhaustFds()
    {
        nint result = 0;
        for (int count = 0; count < ManyFds && result >= 0; count++)
        {
            result = Call(SYS_fcntl, 2, F_DUPFD, 0);
        }

        return result;
    }

    private static nint Map(nint bytes, int protection, int flags, int fd) => Call(SYS_mmap, 0, bytes, protection, flags, fd, 0);
}
