using System.Diagnostics;
using System.Globalization;

namespace Sandbox.Lab.Machine;

/// <summary>The two processes that make up a lab host on this machine: the file server and the emulator.</summary>
internal static class LabProcesses
{
    /// <summary>Serves this machine's files; ends when the emulator hangs up.</summary>
    public static Process StartFileServer(LabOptions options, string stateDirectory, bool outlive) =>
        Start(options.ShareScript, [stateDirectory], Path.Combine(stateDirectory, "files.log"), outlive);

    /// <summary>Starts the machine. Every argument's reason is in the README beside this folder.</summary>
    public static Process StartEmulator(LabOptions options, string stateDirectory, bool outlive)
    {
        string memory = string.Create(CultureInfo.InvariantCulture, $"{options.MemoryMegabytes}M");
        string kernelLine = $"console=ttyS0 panic=-1 quiet no_timer_check tsc=reliable mitigations=off lab.agent={options.AgentPath} {(options.RootImage is null ? "" : "lab.root=/dev/vda")} {options.KernelWords}";
        // snapshot: writes go to a file that has no name.
        string[] root = options.RootImage is null ? [] : ["-drive", $"file={options.RootImage.Replace(",", ",,", StringComparison.Ordinal)},format=raw,if=none,id=root,snapshot=on", "-device", "virtio-blk-pci,drive=root"];
        string[] arguments =
        [
            "-M", "q35,memory-backend=memory",
            "-accel", "tcg,thread=single",
            "-cpu", "EPYC,+svm,+npt",
            "-smp", options.Processors.ToString(CultureInfo.InvariantCulture),
            "-m", memory,
            "-object", $"memory-backend-memfd,id=memory,size={memory},share=on",
            "-nodefaults", "-display", "none", "-no-reboot",
            "-serial", $"file:{stateDirectory}/console",
            "-chardev", $"socket,id=files,path={stateDirectory}/files",
            "-device", "vhost-user-fs-pci,chardev=files,tag=host",
            "-device", "virtio-serial-pci",
            "-chardev", $"socket,id=line,path={stateDirectory}/line,server=on,wait=off",
            "-device", "virtserialport,chardev=line,name=lab",
            "-kernel", Path.Combine(options.ImageDirectory, "vmlinux"),
            "-initrd", Path.Combine(options.ImageDirectory, "initramfs.cpio"),
            "-append", kernelLine,
            "-pidfile", $"{stateDirectory}/pid",
            .. root,
            .. options.EmulatorArguments,
        ];
        return Start(options.EmulatorScript, arguments, Path.Combine(stateDirectory, "emulator.log"), outlive);
    }

    /// <summary>
    /// Starts a process whose messages go to a log file. Unless it is to outlive this one, the kernel kills it when the
    /// calling thread ends: call from a thread that lives as long as the machine.
    /// </summary>
    private static Process Start(string file, IReadOnlyList<string> arguments, string log, bool outlive)
    {
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardInput = true };
        string prefix = outlive ? "setsid" : "setpriv --pdeathsig KILL";
        foreach (string argument in (string[])["-c", $"exec {prefix} \"$@\" </dev/null >\"$0\" 2>&1", log, file, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start) ?? throw new LabException($"cannot start {file}");
        process.StandardInput.Close();
        return process;
    }
}
