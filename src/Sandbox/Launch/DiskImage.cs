using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>An open disk of the guest: raw sectors, whatever is in them.</summary>
internal sealed class DiskImage : IDisposable
{
    public const int SectorBytes = 512;

    /// <summary>What direct I/O takes on every medium.</summary>
    public const int DirectBytes = 4096;

    private DiskImage(FdHandle file, long bytes, bool readOnly, string serialId, bool direct) =>
        (File, Bytes, ReadOnly, SerialId, Direct, MediumWaits) = (file, bytes, readOnly, serialId, direct, FileStatus.IsOnMedium(file));

    public FdHandle File { get; }

    public long Bytes { get; }

    public bool ReadOnly { get; }

    /// <summary>Open past the page cache.</summary>
    public bool Direct { get; }

    /// <summary>Whether a request may have to wait for a medium. No: the file lies in memory.</summary>
    public bool MediumWaits { get; }

    /// <summary>What the guest sees as the disk's serial number.</summary>
    public string SerialId { get; }

    public static DiskImage Open(string path, string what, bool readOnly, string serialId, bool direct = false)
    {
        FdHandle file = OperatorFile.Open(path, what, !readOnly, direct);
        try
        {
            return Take(file, path, what, readOnly, serialId, direct);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes an open file; on an exception it still belongs to the caller.</summary>
    public static DiskImage Take(FdHandle file, string path, string what, bool readOnly, string serialId, bool direct = false)
    {
        if (FileStatus.KindOf(file) is not (FileKind.Regular or FileKind.BlockDevice))
        {
            throw new SandboxException(SandboxErrorKind.DiskRejected, $"{what} {path} is neither a regular file nor a block device; give one");
        }

        return new DiskImage(file, LengthOf(file, $"{what} {path}", direct), readOnly, serialId, direct);
    }

    /// <summary>The size of a disk's file.</summary>
    /// <exception cref="SandboxException">It is none that a disk can have.</exception>
    public static long LengthOf(FdHandle file, string name, bool direct)
    {
        long bytes = FileStatus.LengthOf(file);
        int unit = direct ? DirectBytes : SectorBytes;
        return bytes > 0 && bytes % unit == 0
            ? bytes
            : throw new SandboxException(
                SandboxErrorKind.DiskRejected, $"{name} has {bytes} bytes, which is no positive multiple of {unit}; round it up with truncate(1)");
    }

    public void Dispose() => File.Dispose();
}
