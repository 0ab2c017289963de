using System.Text;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>The names in a folder (getdents64(2)): what System.IO would do with far more code.</summary>
public static unsafe class FolderNames
{
    // struct linux_dirent64 (getdents(2)): d_ino, d_off, d_reclen, d_type, d_name.
    private const int LengthOffset = 16;
    private const int NameOffset = 19;

    /// <summary>Without "." and "..", in no order.</summary>
    /// <exception cref="LinuxException">The folder cannot be opened or read.</exception>
    public static IReadOnlyList<string> In(string path)
    {
        List<string> names = [];
        using FdHandle folder = FileOpen.Open(path, O_DIRECTORY, 0);
        byte[] buffer = new byte[32 * 1024];
        // SAFETY: the buffer is pinned and the kernel is told its size; what it says of lengths is within the count that it returns.
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                nint count = SystemCall(SYS_getdents64, folder.Number, (nint)pointer, buffer.Length, 0, 0, 0);
                if (count < 0)
                {
                    throw new LinuxException($"getdents64 {path}", (Errno)errno);
                }

                if (count == 0)
                {
                    return names;
                }

                for (int place = 0; place < count; place += *(ushort*)(pointer + place + LengthOffset))
                {
                    ReadOnlySpan<byte> name = buffer.AsSpan(place + NameOffset);
                    name = name[..name.IndexOf((byte)0)];
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                    {
                        names.Add(Encoding.UTF8.GetString(name));
                    }
                }
            }
        }
    }
}
