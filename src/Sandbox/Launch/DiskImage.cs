using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>An open disk of the guest: raw sectors, whatever is in them.</summary>
internal sealed class DiskImage : IDisposable
{
    public const int SectorBytes = 512;

    private DiskImage(FdHandle file, long bytes, bool readOnly, string serialId) =>
        (File, Bytes, ReadOnly, SerialId) = (file, bytes, readOnly, serialId);

    public FdHandle File { get; }

    public long Bytes { get; }

    public bool ReadOnly { get; }

    /// <summary>What the guest sees as the disk's serial number.</summary>
    public string SerialId { get; }

    public static DiskImage Open(string path, string what, bool readOnly, string serialId)
    {
        FdHandle file = OperatorFile.Open(path, what, !readOnly);
        try
        {
            return Take(file, path, what, readOnly, serialId);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes an open file; on an exception it still belongs to the caller.</summary>
    public static DiskImage Take(FdHandle file, string path, string what, bool readOnly, string serialId)
    {
        if (FileStatus.KindOf(file) is not (FileKind.Regular or FileKind.BlockDevice))
        {
            throw new SandboxException(SandboxErrorKind.DiskRejected, $"{what} {path} is neither a regular file nor a block device; give one");
        }

        long bytes = FileStatus.LengthOf(file);
        return bytes > 0 && bytes % SectorBytes == 0
            ? new DiskImage(file, bytes, readOnly, serialId)
            : throw new SandboxException(
                SandboxErrorKind.DiskRejected, $"{what} {path} has {bytes} bytes, which is no positive multiple of {SectorBytes}; round it up with truncate(1)");
    }

    public void Dispose() => File.Dispose();
}
