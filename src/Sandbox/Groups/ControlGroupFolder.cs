using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>Opens a control group, and nothing that only looks like one.</summary>
internal static class ControlGroupFolder
{
    private const int Directory = 0x10000; // O_DIRECTORY
    private const int NoLink = 0x20000; // O_NOFOLLOW
    private const long Version1 = 0x27e0eb; // CGROUP_SUPER_MAGIC
    private const long Version2 = 0x63677270; // CGROUP2_SUPER_MAGIC

    /// <exception cref="LinuxException">It cannot be opened, or the file system is another.</exception>
    public static FdHandle Open(string path)
    {
        FdHandle folder = FileOpen.Open(path, Directory | NoLink, 0);
        if (FileStatus.FileSystemTypeOf(folder) is Version1 or Version2)
        {
            return folder;
        }

        folder.Dispose();
        throw new LinuxException($"{path} is no control group", Errno.ENODEV);
    }
}
