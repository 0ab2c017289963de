using System.Text;
using Sandbox.Linux;

namespace Sandbox.Labels;

/// <summary>What this host's SELinux is, read once from selinuxfs (/sys/fs/selinux).</summary>
internal sealed class SeLinuxState
{
    private const string FileSystem = "/sys/fs/selinux";
    private const string AnyPair = "s0:c0,c1023";
    private const int MaxWordBytes = 4096; // a label of any policy
    private const int ReadWrite = 2; // O_RDWR

    /// <summary>The kernel has a policy loaded.</summary>
    public bool IsEnabled { get; init; }

    /// <summary>It refuses what the policy does not allow.</summary>
    public bool IsEnforcing { get; init; }

    /// <summary>The policy has our types at pairs of categories, for processes of this user and role.</summary>
    public bool KnowsSandbox { get; init; }

    /// <summary>The policy exempts our own processes from enforcement.</summary>
    public bool IsPermissiveForUs { get; init; }

    /// <summary>The label of this process.</summary>
    public SecurityContext Own { get; init; }

    public static SeLinuxState Read()
    {
        if (ReadWord(FileSystem + "/enforce") is not { } enforcing || ReadWord("/proc/self/attr/current") is not { } own || !SecurityContext.TryParse(own, out SecurityContext context))
        {
            return new SeLinuxState();
        }

        string vmm = new SecurityContext(context.User, context.Role, SandboxTypes.Vmm, AnyPair).ToString();
        bool known = Ask("context", vmm) is not null;
        return new SeLinuxState { IsEnabled = true, IsEnforcing = enforcing == "1", KnowsSandbox = known, IsPermissiveForUs = known && IsPermissive(vmm), Own = context };
    }

    // Any question about the domain's rights has the domain's flags in its answer.
    private static bool IsPermissive(string label) =>
        ReadWord(FileSystem + "/class/process/index") is { } processClass
        && Ask("access", $"{label} {label} {processClass} ffffffff") is { } answer
        && answer.Split(' ') is [_, _, _, _, _, string flags, ..]
        && flags.Length > 0 && "13579bdf".Contains(flags[^1], StringComparison.Ordinal); // hexadecimal; the lowest bit, as libselinux has it: SELINUX_AVD_FLAGS_PERMISSIVE

    /// <summary>selinuxfs answers what was written to the same opened file. Null when the kernel says no.</summary>
    private static string? Ask(string node, string question)
    {
        try
        {
            using FdHandle file = FileOpen.Open($"{FileSystem}/{node}", ReadWrite, 0);
            byte[] buffer = new byte[4096];
            LinuxException.Check(FdIo.Write(file.Number, Encoding.ASCII.GetBytes(question)), node);
            int count = LinuxException.Check(FdIo.ReadAt(file.Number, buffer, 0), node);
            return Encoding.ASCII.GetString(buffer, 0, count).TrimEnd('\0', '\n');
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    internal static string? ReadWord(string path)
    {
        try
        {
            // Not by File: that takes a lock on the file, which needs one more right.
            using FdHandle file = FileOpen.Read(path);
            Span<byte> text = stackalloc byte[MaxWordBytes];
            int count = FdIo.Read(file.Number, text);
            return count > 0 ? Encoding.UTF8.GetString(text[..count]).TrimEnd('\0', '\n', ' ') : null;
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
