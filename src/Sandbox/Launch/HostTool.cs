namespace Sandbox.Launch;

/// <summary>Finds a program of the host in the system's folders. PATH is not asked: it is whoever called us's.</summary>
internal static class HostTool
{
    private static readonly string[] Folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

    public static string? Find(string name)
    {
        foreach (string folder in Folders)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
