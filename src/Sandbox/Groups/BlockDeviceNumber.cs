using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>The block device that a disk image lies on, for a limit of its bandwidth.</summary>
internal static class BlockDeviceNumber
{
    /// <summary>"MAJOR:MINOR" of the whole device; null for a file that lies on none (tmpfs, overlay, btrfs).</summary>
    public static string? Of(FdHandle file)
    {
        (uint major, uint minor) = FileStatus.DeviceOf(file);
        if (major == 0)
        {
            return null;
        }

        string entry = $"/sys/dev/block/{major}:{minor}";
        // The kernel limits whole devices. Through the link, ".." is the device that a partition is of.
        string whole = KernelText.Lines(entry + "/partition").Length > 0 ? entry + "/../dev" : entry + "/dev";
        return KernelText.Lines(whole) is [string number] ? number : null;
    }
}
