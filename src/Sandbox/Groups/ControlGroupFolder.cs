using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>An opened control group, and nothing that only looks like one.</summary>
internal sealed class ControlGroupFolder
{
    private ControlGroupFolder(FdHandle handle) => (Handle, IsWritableForItsOwner) = (handle, FileStatus.IsWritableAsItsOwner(handle));

    private const int Directory = 0x10000; // O_DIRECTORY
    private const int NoLink = 0x20000; // O_NOFOLLOW
    private const long Version1 = 0x27e0eb; // CGROUP_SUPER_MAGIC
    private const long Version2 = 0x63677270; // CGROUP2_SUPER_MAGIC

    /// <summary>Its folder; belongs to the caller of <see cref="Open"/>.</summary>
    public FdHandle Handle { get; }

    /// <summary>Whether it is this user's, and its mode lets this user make and remove groups in it. (The topmost of a tree has mode 0555.)</summary>
    public bool IsWritableForItsOwner { get; }

    /// <exception cref="LinuxException">It cannot be opened, or the file system is another.</exception>
    public static ControlGroupFolder Open(string path)
    {
        FdHandle folder = FileOpen.Open(path, Directory | NoLink, 0);
        try
        {
            return FileStatus.FileSystemTypeOf(folder) is Version1 or Version2
                ? new ControlGroupFolder(folder)
                : throw new LinuxException($"{path} is no control group", Errno.ENODEV);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }
}
