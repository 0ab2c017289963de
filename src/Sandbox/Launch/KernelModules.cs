namespace Sandbox.Launch;

/// <summary>The folder of modules that the guest must load to find its devices.</summary>
internal static class KernelModules
{
    private const string Folder = "modules";
    private const string OrderFile = "order";

    /// <summary>The devices of this guest that not every guest has, by the words that an order file uses.</summary>
    public static HashSet<string> WantedBy(MicroVmOptions options)
    {
        HashSet<string> wanted = options.Network is null ? [] : ["net"];
        if (options.Balloon)
        {
            _ = wanted.Add("balloon");
        }

        foreach (VhostUserDeviceOptions device in options.VhostUserDevices)
        {
            if (device.Type == VhostUserDeviceType.FileSystem)
            {
                _ = wanted.Add("fs");
            }
        }

        return wanted;
    }

    /// <summary>The operator's; else the folder "modules" beside the kernel; else null: the kernel has all it needs built in.</summary>
    public static string? FolderFor(MicroVmOptions options, string kernelPath)
    {
        if (options.ModulesDirectory is { } given)
        {
            return File.Exists(Path.Combine(given, OrderFile)) ? given : throw new SandboxException(
                SandboxErrorKind.InvalidOption, $"the folder of modules {given} has no file \"{OrderFile}\"; list its modules there in the order of loading");
        }

        string folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(kernelPath))!, Folder);
        return File.Exists(Path.Combine(folder, OrderFile)) ? folder : null;
    }
}
