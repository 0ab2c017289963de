using System.Buffers.Binary;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>The root disk and the type of file system with which the guest shall mount it.</summary>
internal sealed class RootFileSystem : IDisposable
{
    private const int SuperblockOffset = 1024; // of ext4 and of erofs alike
    private const uint ErofsMagic = 0xE0F5E1E2; // at offset 0 of the superblock (erofs_fs.h)
    private const ushort ExtMagic = 0xEF53; // at offset 56 of the superblock (ext4.h)
    private const int ExtMagicOffset = 56;
    private const string What = "root file system";
    private const string SerialId = "root";

    private RootFileSystem(DiskImage disk, string type) => (Disk, Type) = (disk, type);

    public DiskImage Disk { get; }

    /// <summary>The name of the file system for mount(2): "erofs" or "ext4".</summary>
    public string Type { get; }

    /// <summary>A directory becomes an erofs image without a name; a file is looked at for its file system.</summary>
    public static async Task<RootFileSystem> OpenAsync(string path, CancellationToken cancellationToken)
    {
        FdHandle file = OperatorFile.Open(path, What, writable: false);
        try
        {
            if (FileStatus.KindOf(file) == FileKind.Directory)
            {
                FdHandle directory = file;
                file = await ErofsImage.MakeAsync(path, cancellationToken).ConfigureAwait(false);
                directory.Dispose();
            }

            string type = TypeOf(file, path);
            return new RootFileSystem(DiskImage.Take(file, path, What, readOnly: true, SerialId), type);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => Disk.Dispose();

    private static string TypeOf(FdHandle file, string path)
    {
        Span<byte> superblock = stackalloc byte[ExtMagicOffset + sizeof(ushort)];
        int count = FdIo.ReadAt(file.Number, superblock, SuperblockOffset); // fails on what is no file of bytes
        return count < superblock.Length ? throw NoFileSystem(path)
            : BinaryPrimitives.ReadUInt32LittleEndian(superblock) == ErofsMagic ? "erofs"
            : BinaryPrimitives.ReadUInt16LittleEndian(superblock[ExtMagicOffset..]) == ExtMagic ? "ext4"
            : throw NoFileSystem(path);
    }

    private static SandboxException NoFileSystem(string path) => new(
        SandboxErrorKind.DiskRejected, $"{What} {path} holds neither an ext4 nor an erofs file system; give such an image or a directory");
}
