using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>
/// The open kernel. Only its first bytes are looked at here, for a message that names the path; the VMM, in its jail, reads and judges
/// the rest.
/// </summary>
internal sealed class KernelFile : IDisposable
{
    private const int SetupHeaderEnd = 0x206; // Linux boot protocol: "HdrS" at 0x202, boot flag 0xAA55 at 0x1FE

    private KernelFile(FdHandle file, long bytes) => (File, Bytes) = (file, bytes);

    public FdHandle File { get; private set; }

    public long Bytes { get; }

    public static KernelFile Open(string path)
    {
        FdHandle file = OperatorFile.Open(path, "kernel", writable: false);
        try
        {
            if (FileStatus.KindOf(file) != FileKind.Regular)
            {
                throw Rejected($"kernel {path} is not a regular file; give a bzImage or an ELF vmlinux for x86-64");
            }

            long bytes = FileStatus.LengthOf(file);
            if (bytes > LaunchLimits.MaxBootFileBytes)
            {
                throw Rejected($"kernel {path} has {bytes} bytes; give one of at most 1G");
            }

            Span<byte> head = stackalloc byte[SetupHeaderEnd];
            head = head[..LinuxException.Check(FdIo.ReadAt(file.Number, head, 0), $"read {path}")];
            return IsElf(head) || IsBzImage(head)
                ? new KernelFile(file, bytes)
                : throw Rejected($"kernel {path} is neither a bzImage nor an ELF file; give a bzImage or an ELF vmlinux for x86-64");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>From here on the file is a sealed copy of itself without a name.</summary>
    /// <exception cref="LinuxException">The copy could not be made.</exception>
    public void CopyToMemory()
    {
        FdHandle copy = MemFd.Create("kernel");
        byte[] buffer = new byte[1 << 20];
        for (long done = 0; done < Bytes;)
        {
            int count = LinuxException.Check(FdIo.ReadAt(File.Number, buffer, done), "read kernel");
            LinuxException.Check(count == 0 ? -(int)Errno.EIO : FdIo.WriteAll(copy.Number, buffer.AsSpan(0, count)), "copy kernel");
            done += count;
        }

        MemFd.SealContent(copy);
        File.Dispose();
        File = MemFd.ReopenReadOnly(copy);
    }

    public void Dispose() => File.Dispose();

    private static bool IsElf(ReadOnlySpan<byte> head) => head.StartsWith("\u007FELF"u8);

    private static bool IsBzImage(ReadOnlySpan<byte> head) =>
        head.Length == SetupHeaderEnd && head[0x1FE] == 0x55 && head[0x1FF] == 0xAA && head[0x202..].SequenceEqual("HdrS"u8);

    private static SandboxException Rejected(string message) => new(SandboxErrorKind.KernelRejected, message);
}
