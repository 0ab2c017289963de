using System.Text;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>Small text files of the kernel, read whole. Not by File: that takes a lock on the file, which needs one more right under SELinux.</summary>
internal static class KernelText
{
    private const int FirstBytes = 4096;
    private const int MaxBytes = 1 << 20; // a host with thousands of mounts

    /// <summary>Its lines; none when it cannot be read.</summary>
    public static string[] Lines(string path)
    {
        try
        {
            using FdHandle file = FileOpen.Read(path);
            byte[] text = new byte[FirstBytes];
            int length = 0;
            int count;
            while ((count = FdIo.Read(file.Number, text.AsSpan(length))) > 0)
            {
                length += count;
                if (length == text.Length)
                {
                    if (length == MaxBytes)
                    {
                        return [];
                    }

                    Array.Resize(ref text, 2 * length);
                }
            }

            return count < 0 ? [] : Encoding.UTF8.GetString(text, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (LinuxException)
        {
            return [];
        }
    }
}
