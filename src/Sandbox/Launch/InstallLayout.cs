using Sandbox.Host;

namespace Sandbox.Launch;

/// <summary>Where the parts of an installed Sandbox are: executables in one folder, kernels and the built-in root in ../share.</summary>
internal sealed class InstallLayout
{
    private const string JailName = "sandbox-jail";
    private const string VmmName = "sandbox-vmm";
    private const string DeviceName = "sandbox-device";
    private const string InitName = "sandbox-init";
    private const string ProbeName = "sandbox-probe";
    private const string RootImage = "rootfs.erofs";
    private const string KernelImage = "vmlinux";

    private readonly string _executables;
    private readonly string _share;

    public InstallLayout(string? executableDirectory)
    {
        _executables = Path.GetFullPath(executableDirectory ?? AppContext.BaseDirectory);
        _share = Path.GetFullPath(Path.Combine(_executables, "..", "share"));
    }

    public string Jail => Executable(JailName);

    public string Vmm => Executable(VmmName);

    public string Device => Executable(DeviceName);

    public string Init => Executable(InitName);

    /// <summary>Stands in for the others when it is proved that they can do nothing.</summary>
    public string Probe => Executable(ProbeName);

    public string BuiltInRoot => Prepared(Path.Combine(_share, RootImage), "built-in root file system");

    public string DebianKernelDirectory => Path.Combine(_share, "kernels", "debian");

    public string TunedKernelDirectory => Path.Combine(_share, "kernels", "tuned");

    /// <summary>Debian's, as an ELF file: it needs no decompression in the guest.</summary>
    public string DefaultKernel => Prepared(Path.Combine(DebianKernelDirectory, KernelImage), "default kernel");

    /// <summary>The module for the host's SELinux policy.</summary>
    public string SeLinuxModule => Prepared(Path.Combine(_share, "selinux", "sandbox.cil"), "SELinux module");

    /// <summary>The folder that holds both.</summary>
    public string Root => Path.GetDirectoryName(_share)!;

    /// <summary>What of it is there.</summary>
    public IEnumerable<HostFinding> Findings()
    {
        foreach (string name in (string[])[JailName, VmmName, DeviceName, InitName, ProbeName])
        {
            yield return Finding(name, Path.Combine(_executables, name), required: name != ProbeName, "make");
        }

        yield return Finding("built-in root", Path.Combine(_share, RootImage), required: false, "make");
        yield return Finding("kernel (Debian)", Path.Combine(DebianKernelDirectory, KernelImage), required: false, "make");
        yield return Finding("kernel (tuned)", Path.Combine(TunedKernelDirectory, KernelImage), required: false, "make tuned");
    }

    private static HostFinding Finding(string name, string path, bool required, string command) =>
        new(name, File.Exists(path), required, path, $"build it with `{command}`");

    private string Executable(string name)
    {
        string path = Path.Combine(_executables, name);
        return File.Exists(path) ? path : throw new SandboxException(
            SandboxErrorKind.HostNotReady, $"{path} is missing; build Sandbox with `make` and keep its executables in one folder");
    }

    private static string Prepared(string path, string what) =>
        File.Exists(path) ? path : throw new SandboxException(SandboxErrorKind.HostNotReady, $"the {what} {path} is missing; prepare it with `make`");
}
