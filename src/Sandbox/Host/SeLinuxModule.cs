using System.Text;
using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Host;

/// <summary>
/// Our part of a distribution's SELinux policy: a module (src/selinux/sandbox.cil), and the labels of the installed files. For
/// administrators; needs root and the Debian package policycoreutils (semodule, restorecon).
/// </summary>
public sealed class SeLinuxModule
{
    private const string Name = "sandbox";
    private const string PathsName = "sandbox_paths";
    private const string ScratchFolder = "/run/sandbox-selinux";

    /// <summary>Where the module's own file contexts already say what is what.</summary>
    private const string UsualPlace = "/opt/sandbox";

    private readonly InstallLayout _layout;

    /// <param name="executableDirectory">As <see cref="MicroVmOptions.ExecutableDirectory"/>.</param>
    public SeLinuxModule(string? executableDirectory = null) => _layout = new InstallLayout(executableDirectory);

    /// <summary>Adds the module to the host's policy, with the paths of this installation, and labels its files. Can be repeated.</summary>
    /// <exception cref="SandboxException">A tool is missing or refused; the message has its last line.</exception>
    public void Install()
    {
        RequireRoot();
        List<string> arguments = ["-i", _layout.SeLinuxModule];
        if (_layout.Root == UsualPlace)
        {
            ToolRun.Run("semodule", "policycoreutils", arguments);
        }
        else
        {
            // The name of the file is the name of the module. Root's own folder: nobody else can put something in its place.
            string paths = Path.Combine(ScratchFolder, PathsName + ".cil");
            WritePaths(paths);
            try
            {
                arguments.AddRange(["-i", paths]);
                ToolRun.Run("semodule", "policycoreutils", arguments);
            }
            finally
            {
                _ = FolderEntry.TryRemove(paths);
                _ = FolderEntry.TryRemoveFolder(ScratchFolder);
            }
        }

        LabelFiles();
    }

    /// <summary>Takes the module out of the host's policy and gives the files the labels that they would have without it.</summary>
    /// <exception cref="SandboxException">A tool is missing or refused: for example because the module is not installed.</exception>
    public void Remove()
    {
        RequireRoot();
        List<string> names = ["-r", Name];
        if (_layout.Root != UsualPlace)
        {
            names.AddRange(["-r", PathsName]);
        }

        ToolRun.Run("semodule", "policycoreutils", names);
        LabelFiles();
    }

    /// <summary>The file contexts of an installation that is not in the usual place, as a CIL module.</summary>
    internal static string PathsText(string root)
    {
        string place = Escape(root);
        StringBuilder text = new();
        Add("/bin/sandbox", "file", "sbx_launcher_exec_t");
        Add("/bin/sandbox-jail", "file", "sbx_jail_exec_t");
        Add("/bin/sandbox-vmm", "file", "sbx_vmm_exec_t");
        Add("/bin/sandbox-device", "file", "sbx_device_exec_t");
        Add("/bin/sandbox-init", "file", SandboxTypes.Share);
        Add("/share(/.*)?", "any", SandboxTypes.Share);
        Add(@"/share/.*\.erofs", "file", SandboxTypes.SharedImage);
        return text.ToString();

        void Add(string path, string kind, string type) => text.Append($"(filecon \"{place}{path}\" {kind} (system_u object_r {type} ((s0) (s0))))\n");
    }

    // A path becomes a regular expression that matches just it. A quote or a control character has no place in a CIL string.
    private static string Escape(string path)
    {
        StringBuilder text = new();
        foreach (char letter in path)
        {
            if (letter is '"' or < ' ')
            {
                throw new SandboxException(SandboxErrorKind.InvalidOption, $"the path {path} cannot be given to the policy; install Sandbox in a folder without quotes and control characters");
            }

            text.Append(char.IsAsciiLetterOrDigit(letter) || letter is '/' or '-' or '_' ? letter.ToString() : @"\" + letter);
        }

        return text.ToString();
    }

    private void WritePaths(string file)
    {
        byte[] text = Encoding.UTF8.GetBytes(PathsText(_layout.Root));
        FolderEntry.MakeFolders(ScratchFolder);
        FolderEntry.Write(file, text);
    }

    private void LabelFiles() => ToolRun.Run("restorecon", "policycoreutils", ["-RF", _layout.Root]);

    private static void RequireRoot()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new SandboxException(SandboxErrorKind.HostNotReady, "the policy is the administrator's; run it as root");
        }
    }
}
