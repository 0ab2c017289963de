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

    /// <summary>The initial RAM disk as a sealed file in memory, to be handed to a VMM.</summary>
    /// <param name="initPath">The sandbox-init exe.</param>
    /// <param name="modulesDirectory">A folder with <c>order</c> and the files it names, or null for a kernel without modules.</param>
    /// <param name="sizeBytes">Its length.</param>
    /// <exception cref="IOException">A file could not be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="LinuxException">The memory file could not be made.</exception>
    public static FdHandle Build(string initPath, string? modulesDirectory, out long sizeBytes)
    {
        FdHandle file = MemFd.Create("sandbox-initrd");
        try
        {
            using (MemFdStream output = new(file))
            using (BufferedStream buffered = new(output, 128 * 1024))
            {
                Write(buffered, initPath, modulesDirectory);
                buffered.Flush();
                sizeBytes = output.Position;
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
    internal static void Write(Stream output, string initPath, string? modulesDirectory)
    {
        CpioWriter archive = new(output);
        // Mount points that sandbox-init would make otherwise; the kernel opens /dev/console before it runs init.
        foreach (string folder in (ReadOnlySpan<string>)["dev", "proc", "sys", "newroot"])
        {
            archive.Directory(folder, Folder);
        }

        archive.CharacterDevice("dev/console", OwnerOnly, 5, 1);
        archive.CharacterDevice("dev/null", 0x1B6 /* 0666 */, 1, 3);
        AddFile(archive, "init", Executable, initPath);
        if (modulesDirectory is not null)
        {
            archive.Directory("modules", Folder);
            AddFile(archive, "modules/" + OrderFile, Readable, Path.Combine(modulesDirectory, OrderFile));
            foreach (string name in File.ReadAllLines(Path.Combine(modulesDirectory, OrderFile)))
            {
                if (name.Length == 0 || name != Path.GetFileName(name))
                {
                    throw new IOException($"{Path.Combine(modulesDirectory, OrderFile)}: '{name}' is no file name");
                }

                AddFile(archive, "modules/" + name, Readable, Path.Combine(modulesDirectory, name));
            }
        }

        archive.Finish();
    }

    private static void AddFile(CpioWriter archive, string name, uint mode, string path)
    {
        using FileStream content = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        archive.File(name, mode, content);
    }
}
