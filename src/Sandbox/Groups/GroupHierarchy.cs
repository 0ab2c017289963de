using System.Text;

namespace Sandbox.Groups;

/// <summary>A mounted tree of control groups.</summary>
internal sealed class GroupHierarchy
{
    /// <summary>The one tree of version 2, or one of version 1.</summary>
    public required bool IsVersion2 { get; init; }

    /// <summary>Where it is.</summary>
    public required string MountPoint { get; init; }

    /// <summary>The group of this process in it, as an absolute path below the mount point.</summary>
    public required string OwnPath { get; init; }

    /// <summary>For version 1: its controllers, by the kernel's names. Version 2 has them in files.</summary>
    public required string[] Controllers { get; init; }

    /// <summary>Reads them from the two files of /proc. A line that is not understood is passed over.</summary>
    /// <param name="mountInfo">/proc/self/mountinfo (proc(5)): "36 35 0:30 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids".</param>
    /// <param name="ownGroups">/proc/self/cgroup (cgroups(7)): "8:pids:/path", version 2 as "0::/path".</param>
    public static List<GroupHierarchy> Read(string[] mountInfo, string[] ownGroups)
    {
        List<GroupHierarchy> found = [];
        foreach (string line in mountInfo)
        {
            string[] halves = line.Split(" - ", 2);
            string[] mount = halves[0].Split(' ');
            string[] system = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (mount.Length < 5 || system.Length < 3 || system[0] is not ("cgroup" or "cgroup2"))
            {
                continue;
            }

            bool isVersion2 = system[0] == "cgroup2";
            string[] options = system[2].Split(',');
            foreach (string group in ownGroups)
            {
                string[] own = group.Split(':', 3);
                string[] controllers = own.Length == 3 && own[1].Length > 0 ? own[1].Split(',') : [];
                if (own.Length == 3 && (isVersion2 ? own[1].Length == 0 : controllers.Length > 0 && Array.TrueForAll(controllers, controller => Array.IndexOf(options, controller) >= 0)))
                {
                    string point = Unescaped(mount[4]);
                    found.Add(new GroupHierarchy { IsVersion2 = isVersion2, MountPoint = point, OwnPath = Path.Join(point, Below(Unescaped(mount[3]), own[2])), Controllers = controllers });
                }
            }
        }

        return found;
    }

    // A container sees a part of the tree: the mount's root is then not "/".
    private static string Below(string root, string path) =>
        root == "/" ? path : path == root || path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : "";

    // mountinfo writes space, tab, newline and backslash as a backslash and three octal digits.
    private static string Unescaped(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        StringBuilder plain = new();
        for (int index = 0; index < text.Length; index++)
        {
            bool escaped = text[index] == '\\' && index + 3 < text.Length;
            plain.Append(escaped ? (char)(((text[index + 1] - '0') << 6) | ((text[index + 2] - '0') << 3) | (text[index + 3] - '0')) : text[index]);
            index += escaped ? 3 : 0;
        }

        return plain.ToString();
    }
}
