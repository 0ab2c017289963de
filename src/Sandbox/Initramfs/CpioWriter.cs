using System.Globalization;
using System.Text;
using Sandbox.Linux;

namespace Sandbox.Initramfs;

/// <summary>
/// Writes an archive in cpio's "newc" form, the one the kernel unpacks into its initial RAM disk
/// (Documentation/driver-api/early-userspace/buffer-format.rst). Owner and group are root, times are zero: the same entries
/// give the same bytes. Names are relative, without a leading slash, parents before children.
/// </summary>
internal sealed class CpioWriter(Stream output)
{
    private const uint TypeMask = 0xF000; // S_IFMT
    private const uint DirectoryType = 0x4000; // S_IFDIR
    private const uint CharacterDeviceType = 0x2000; // S_IFCHR
    private const uint RegularType = 0x8000; // S_IFREG
    private const string Magic = "070701";
    private const string TrailerName = "TRAILER!!!";
    private const int Alignment = 4;
    private const int CopyBytes = 64 * 1024;

    private uint _inode;
    private long _written;

    /// <summary>A directory; <paramref name="mode"/> are its permission bits.</summary>
    public void Directory(string name, uint mode) => Header(name, DirectoryType | mode, 0, 0, 0);

    /// <summary>A character device node.</summary>
    public void CharacterDevice(string name, uint mode, uint major, uint minor) => Header(name, CharacterDeviceType | mode, 0, major, minor);

    /// <summary>A file with the content of a file of this host.</summary>
    /// <exception cref="IOException">The content is longer than 4 GiB - 1, or changed meanwhile.</exception>
    /// <exception cref="LinuxException">It could not be read.</exception>
    public void File(string name, uint mode, FdHandle content)
    {
        long length = FileStatus.LengthOf(content);
        if (length > uint.MaxValue)
        {
            throw new IOException($"{name}: too long for a cpio archive");
        }

        Header(name, RegularType | mode, (uint)length, 0, 0);
        byte[] buffer = new byte[CopyBytes];
        long copied = 0;
        for (int count; (count = LinuxException.Check(FdIo.ReadAt(content.Number, buffer, copied), "read " + name)) > 0; copied += count)
        {
            output.Write(buffer, 0, count);
        }

        if (copied != length)
        {
            throw new IOException($"{name}: changed while it was read");
        }

        _written += length;
        Pad();
    }

    /// <summary>A file with the given bytes.</summary>
    public void File(string name, uint mode, ReadOnlySpan<byte> content)
    {
        Header(name, RegularType | mode, (uint)content.Length, 0, 0);
        output.Write(content);
        _written += content.Length;
        Pad();
    }

    /// <summary>Ends the archive. Nothing may be added after it.</summary>
    public void Finish()
    {
        _inode = uint.MaxValue; // wraps to 0, which the trailer has
        Header(TrailerName, 0, 0, 0, 0);
    }

    private void Header(string name, uint mode, uint fileBytes, uint major, uint minor)
    {
        byte[] nameBytes = Encoding.UTF8.GetBytes(name + '\0');
        _inode = unchecked(_inode + 1);
        uint links = (mode & TypeMask) == DirectoryType ? 2u : 1u;
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        ReadOnlySpan<uint> fields = [_inode, mode, 0, 0, links, 0, fileBytes, 0, 0, major, minor, (uint)nameBytes.Length, 0];
        StringBuilder header = new(Magic);
        foreach (uint field in fields)
        {
            header.Append(field.ToString("x8", CultureInfo.InvariantCulture));
        }

        output.Write(Encoding.ASCII.GetBytes(header.ToString()));
        output.Write(nameBytes);
        _written += header.Length + nameBytes.Length;
        Pad();
    }

    private void Pad()
    {
        while (_written % Alignment != 0)
        {
            output.WriteByte(0);
            _written++;
        }
    }
}
