using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Files of the host, by name, by handle and by the older and younger calls for the same.</summary>
internal static class FileActs
{
    internal static nint Open(ReadOnlySpan<byte> path, int flags) => Call(SYS_openat, AT_FDCWD, RawScratch.Put(path), flags, 0x180);

    internal static nint OpenByOldestCall() => Call(SYS_open, RawScratch.Put("/etc/passwd\0"u8), O_RDONLY);

    internal static nint OpenByNewestCall() =>
        Call(SYS_openat2, AT_FDCWD, RawScratch.Put("/etc/passwd\0"u8), RawScratch.Put64([O_RDONLY, 0, 0]), 3 * sizeof(ulong));

    /// <summary>Any file of a mounted file system can be opened by its handle, whatever the root is; here the one of fd 0.</summary>
    internal static nint OpenByHandle()
    {
        nint handle = RawScratch.Put32([MaxHandleBytes]);
        _ = RawScratch.Reserve(MaxHandleBytes + sizeof(uint));
        nint mountId = RawScratch.Reserve(sizeof(int));
        nint result = Call(SYS_name_to_handle_at, 0, RawScratch.Put("\0"u8), handle, mountId, AT_EMPTY_PATH);
        return result < 0 ? result : Call(SYS_open_by_handle_at, 0, handle, O_RDONLY);
    }

    internal static nint AskStatus() => Call(SYS_newfstatat, AT_FDCWD, RawScratch.Put("/etc/passwd\0"u8), RawScratch.Reserve(StatusBytes), 0);

    internal static nint AskFileSystem() => Call(SYS_statfs, RawScratch.Put("/etc\0"u8), RawScratch.Reserve(StatusBytes));

    internal static nint ReadLink() => Call(SYS_readlinkat, AT_FDCWD, RawScratch.Put("/proc/self/exe\0"u8), RawScratch.Reserve(StatusBytes), StatusBytes);

    /// <summary>The null device under another name; taken away again where it could be made.</summary>
    internal static nint CreateDeviceNode()
    {
        nint path = RawScratch.Put("/sandbox-proof-null\0"u8);
        nint result = Call(SYS_mknodat, AT_FDCWD, path, S_IFCHR | 0x1B6, NullDevice);
        if (result >= 0)
        {
            _ = Call(SYS_unlinkat, AT_FDCWD, path, 0);
        }

        return result;
    }

    internal static nint WatchFiles() => Call(SYS_inotify_init1, 0);

    internal static nint WatchFileSystem() => Call(SYS_fanotify_init, 0, O_RDONLY);

    private const int MaxHandleBytes = 128; // MAX_HANDLE_SZ
    private const int StatusBytes = 256; // more than struct stat, struct statfs and any link here
    private const int NullDevice = (1 << 8) | 3; // null(4)
}
