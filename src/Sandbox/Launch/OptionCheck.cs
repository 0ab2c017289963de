using System.Globalization;
using Sandbox.Control.Agent;
using Sandbox.Control.Launch;

namespace Sandbox.Launch;

/// <summary>Checks every option that can be judged without opening a file. The first bad one is reported with its range.</summary>
internal static class OptionCheck
{
    private const int PageBytes = 4096;
    private const int MaxHostNameLength = 63;

    public static void Check(MicroVmOptions options)
    {
        Require(options.CpuCount is >= 1 and <= MicroVmOptions.MaxCpuCount, $"{options.CpuCount} CPUs are out of range; give 1 to {MicroVmOptions.MaxCpuCount}");
        Require(
            options.MemoryBytes is >= MicroVmOptions.MinMemoryBytes and <= MicroVmOptions.MaxMemoryBytes,
            $"memory of {Size(options.MemoryBytes)} is out of range; give 64M to 1T");
        Require(options.MemoryBytes % PageBytes == 0, $"memory of {options.MemoryBytes} bytes is not a multiple of {PageBytes}; round it up");
        Require(
            options.StartTimeout > TimeSpan.Zero || options.StartTimeout == Timeout.InfiniteTimeSpan,
            $"start timeout of {SecondsText.Of(options.StartTimeout)} is not positive; give at least 1 ms");
        Require(
            IsHostName(options.HostName),
            $"host name \"{options.HostName}\" is not valid; give 1 to {MaxHostNameLength} letters, digits, '-' and '.'");
        int disks = options.Disks.Count + options.VhostUserDevices.Count;
        Require(disks <= MicroVmOptions.MaxDiskCount, $"{disks} disks are too many; give at most {MicroVmOptions.MaxDiskCount}");
        foreach (VhostUserDeviceOptions device in options.VhostUserDevices)
        {
            CheckPath(device.SocketPath, "vhost-user socket");
            Require(
                IsTag(device.Tag) == (device.Type == VhostUserDeviceType.FileSystem),
                $"tag \"{device.Tag}\" of {device.SocketPath} does not fit; give a file system 1 to {LaunchLimits.MaxTagBytes} printable characters and others none");
        }

        foreach (DiskOptions disk in options.Disks)
        {
            CheckPath(disk.Path, "disk");
            if (disk.Rate is { } rate)
            {
                Check(rate);
            }
        }

        Check(options.DiskRate);
        CheckVsockPorts(options.VsockPorts);
        if (options.Network is { } network)
        {
            NetworkCheck.Check(network);
        }

        Check(options.HostLimits, options.MemoryBytes);
        CheckPath(options.RootFileSystem ?? "/", "root file system");
        CheckPath(options.Kernel ?? "/", "kernel");
    }

    private static void Check(DiskRateOptions rate) => Require(
        rate.BytesPerSecond is >= 0 and <= LaunchLimits.MaxBytesPerSecond && rate.OperationsPerSecond is >= 0 and <= LaunchLimits.MaxOperationsPerSecond,
        "a disk's rate is out of range; give up to 1T bytes and 1000000000 requests a second, 0 for no bound");

    private static void Check(HostLimitOptions limits, long guestBytes)
    {
        const int mostPercent = 409_600; // 4096 processors
        Require(limits.MemoryBytes is null || limits.MemoryBytes >= guestBytes, "memory limit is below the guest's memory; give that and some 100M more");
        Require(limits.Threads is null or (>= 16 and <= 1 << 22), "thread limit is out of range; give 16 for each process of the microVM, 64 at least");
        Require(limits.CpuPercent is null or (>= 1 and <= mostPercent), "processor limit is out of range; give 1% to 409600%, 100% for one processor");
        Require(limits.DiskBytesPerSecond is null or >= PageBytes, "disk limit is out of range; give at least 4K per second");
        Require(
            limits.ControlGroup is null || (limits.ControlGroup.StartsWith('/') && !limits.ControlGroup.Contains('\0', StringComparison.Ordinal) && Array.IndexOf(limits.ControlGroup.Split('/'), "..") < 0),
            "control group is not valid; give its path as /proc/self/cgroup shows it, \"/machine.slice\"");
    }

    public static void Check(ExecOptions options)
    {
        Require(options.Command.Count > 0 && options.Command[0].Length > 0, "no command; give the program to run and its arguments");
        foreach (string argument in options.Command)
        {
            Require(!argument.Contains('\0', StringComparison.Ordinal), "an argument of the command holds a NUL character; remove it");
        }

        foreach ((string name, string value) in options.Environment)
        {
            Require(
                name.Length > 0 && !name.Contains('=', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal) && !value.Contains('\0', StringComparison.Ordinal),
                $"environment variable \"{name}\" is not valid; give NAME=VALUE without NUL characters");
        }

        Require(
            options.WorkingDirectory.StartsWith('/') && !options.WorkingDirectory.Contains('\0', StringComparison.Ordinal),
            $"working directory \"{options.WorkingDirectory}\" is not an absolute path in the guest; start it with '/'");
    }

    private static void CheckVsockPorts(IReadOnlyList<VsockPortOptions> ports)
    {
        Require(ports.Count <= MicroVmOptions.MaxVsockPortCount, $"{ports.Count} vsock ports are too many; give at most {MicroVmOptions.MaxVsockPortCount}");
        // The guest's ports too: a connection is known by its two numbers, which are the same for those.
        HashSet<uint> taken = [AgentLimits.VsockPort];
        foreach (VsockPortOptions port in ports)
        {
            CheckPath(port.SocketPath, "vsock port's socket");
            Require(port.Port is > 0 and < uint.MaxValue, $"vsock port {port.Port} is out of range; give 1 to 4294967294");
            Require(taken.Add(port.Port), $"vsock port {port.Port} is taken, by another or by Sandbox itself; give another");
        }
    }

    /// <summary>Whole units where possible: 65536K is nobody's wording of 64M.</summary>
    internal static string Size(long bytes)
    {
        ReadOnlySpan<char> units = "KMGTPE";
        int unit = -1;
        while (unit < units.Length - 1 && bytes >= 1024 && bytes % 1024 == 0)
        {
            bytes /= 1024;
            unit++;
        }

        string number = bytes.ToString(CultureInfo.InvariantCulture);
        return unit < 0 ? number + " bytes" : number + units[unit];
    }

    private static void CheckPath(string path, string what) =>
        Require(path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal), $"the path of the {what} is empty or holds a NUL character; give a path");

    private static bool IsTag(string tag)
    {
        foreach (char letter in tag)
        {
            if (letter is < ' ' or > '~')
            {
                return false;
            }
        }

        return tag.Length is >= 1 and <= LaunchLimits.MaxTagBytes;
    }

    private static bool IsHostName(string name)
    {
        foreach (char letter in name)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not '-' and not '.')
            {
                return false;
            }
        }

        return name.Length is >= 1 and <= MaxHostNameLength && name[0] != '-';
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new SandboxException(SandboxErrorKind.InvalidOption, message);
        }
    }
}
