namespace Sandbox.Linux;

/// <summary>A small file of this host, whole. Not by <see cref="File"/>: it takes a lock on the file, which needs one more right under SELinux, and what it is made of is a large part of a small exe.</summary>
public static class WholeFile
{
    private const int FirstBytes = 4096;

    /// <param name="path">The file; files of the kernel too, which do not tell their length.</param>
    /// <param name="maxBytes">The longest that is read, at least 4096 and a power of two.</param>
    /// <exception cref="LinuxException">It could not be opened or read, or is longer (EFBIG).</exception>
    public static byte[] Read(string path, int maxBytes)
    {
        using FdHandle file = FileOpen.Read(path);
        byte[] content = new byte[FirstBytes];
        int length = 0;
        int count;
        while ((count = LinuxException.Check(FdIo.Read(file.Number, content.AsSpan(length)), "read " + path)) > 0)
        {
            length += count;
            if (length == content.Length)
            {
                if (length >= maxBytes)
                {
                    throw new LinuxException("read " + path, Errno.EFBIG);
                }

                Array.Resize(ref content, 2 * length);
            }
        }

        Array.Resize(ref content, length);
        return content;
    }
}
