using System.Text;
using Sandbox.Linux;

namespace Sandbox.Initramfs;

/// <summary>Composes a guest's initial RAM disk: sandbox-init as <c>/init</c> and the modules its kernel needs.</summary>
internal static class InitramfsBuilder
{
    private const uint Folder = 0x1ED; // 0755
    private const uint Executable = 0x1ED;
    private const uint Readable = 0x1A4; // 0644
    private const uint OwnerOnly = 0x180; // 0600
    private const string OrderFile = "order";
    private const int MaxOrderBytes = 64 * 1024;

    /// <summary>The initial RAM disk as a sealed file in memory, to be handed to a VMM.</summary>
    /// <param name="initPath">The sandbox-init exe.</param>
    /// <param name="modulesDirectory">A folder with <c>order</c> and the files it names, or null for a kernel without modules.</param>
    /// <param name="wanted">The optional devices of this guest: a line of <c>order</c> with a second word is left out unless the word is here.</param>
    /// <param name="sizeBytes">Its length.</param>
    /// <exception cref="IOException">A file is not what it should be.</exception>
    /// <exception cref="LinuxException">A file could not be read, or the memory file not be made.</exception>
    public static FdHandle Build(string initPath, string? modulesDirectory, IReadOnlySet<string> wanted, out long sizeBytes)
    {
        FdHandle file = MemFd.Create("sandbox-initrd");
        try
        {
            using (MemFdStream output = new(file))
            {
                Write(output, initPath, modulesDirectory, wanted);
                output.Flush();
                sizeBytes = output.Length;
            }

            MemFd.SealContent(file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes the archive to any stream.</summary>
    internal static void Write(Stream output, string initPath, string? modulesDirectory, IReadOnlySet<string> wanted)
    {
        CpioWriter archive = new(output);
        // Mount points that sandbox-init would make otherwise; the kernel opens /dev/console before it runs init.
        foreach (string folder in (ReadOnlySpan<string>)["dev", "proc", "sys", "newroot"])
        {
            archive.Directory(folder, Folder);
        }

        archive.CharacterDevice("dev/console", OwnerOnly, 5, 1);
        archive.CharacterDevice("dev/null", 0x1B6 /* 0666 */, 1, 3);
        using (FdHandle init = FileOpen.Read(initPath))
        {
            archive.File("init", Executable, init);
        }

        if (modulesDirectory is not null)
        {
            // A kernel and its modules may come from a stranger: what goes into the guest is what lies in the folder, not what a link names.
            using FdHandle modules = FileOpen.Folder(modulesDirectory);
            archive.Directory("modules", Folder);
            List<string> names = Order(modules, wanted);
            archive.File("modules/" + OrderFile, Readable, Encoding.UTF8.GetBytes(string.Concat(names.Select(static name => name + '\n'))));
            foreach (string name in names)
            {
                AddModule(archive, modules, name);
            }
        }

        archive.Finish();
    }

    // A line is a file name, or a file name and the device that it is for.
    private static List<string> Order(FdHandle folder, IReadOnlySet<string> wanted)
    {
        List<string> names = [];
        foreach (string line in ReadOrder(folder).Split('\n'))
        {
            if (line.Length == 0)
            {
                continue;
            }

            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length is 0 or > 2 || words[0] is "." or ".." || words[0] != Path.GetFileName(words[0]))
            {
                throw new IOException($"{OrderFile}: '{line}' is no file name");
            }

            if (words.Length == 1 || wanted.Contains(words[1]))
            {
                names.Add(words[0]);
            }
        }

        return names;
    }

    private static string ReadOrder(FdHandle folder)
    {
        using FdHandle file = OpenRegular(folder, OrderFile);
        byte[] text = new byte[MaxOrderBytes + 1];
        int count = LinuxException.Check(FdIo.ReadAt(file.Number, text, 0), $"read {OrderFile}");
        return count <= MaxOrderBytes ? Encoding.UTF8.GetString(text, 0, count) : throw new IOException($"{OrderFile}: longer than {MaxOrderBytes} bytes");
    }

    private static void AddModule(CpioWriter archive, FdHandle folder, string name)
    {
        using FdHandle file = OpenRegular(folder, name);
        archive.File("modules/" + name, Readable, file);
    }

    private static FdHandle OpenRegular(FdHandle folder, string name)
    {
        FdHandle file = FileOpen.Beneath(folder, name);
        if (FileStatus.KindOf(file) == FileKind.Regular)
        {
            return file;
        }

        file.Dispose();
        throw new IOException($"modules/{name} is no regular file");
    }
}
