using System.CommandLine;
using Sandbox.Cli.Text;

namespace Sandbox.Cli.Run;

/// <summary>The options of `sandbox run`, and what they make of a parsed command line.</summary>
internal sealed class RunOptions
{
    private const long DefaultMemoryBytes = 256L << 20;

    private readonly Option<string?> _rootFileSystem = new("--rootfs") { HelpName = "PATH", Description = "Root file system: a directory, or an ext4 or erofs image. Never written. Default: a built-in busybox." };
    private readonly Option<string?> _kernel = new("--kernel") { HelpName = "PATH", Description = "bzImage or ELF vmlinux. Default: the one that make prepared." };
    private readonly Option<string> _kernelArguments = new("--kernel-args") { HelpName = "TEXT", Description = "More arguments for the kernel's command line.", DefaultValueFactory = static _ => "" };
    private readonly Option<long> _memory = new("--memory") { HelpName = "SIZE", Description = "Guest memory, 64M to 1T. Default: 256M.", CustomParser = SizeText.Parse, DefaultValueFactory = static _ => DefaultMemoryBytes };
    private readonly Option<int> _cpus = new("--cpus") { HelpName = "N", Description = "Virtual processors, 1 to 64. Default: 1.", DefaultValueFactory = static _ => 1 };
    private readonly Option<TimeSpan?> _timeout = new("--timeout") { HelpName = "DURATION", Description = "Ends the microVM after this time (500ms, 30s, 5m, 1h); exit code 124.", CustomParser = DurationText.Parse };
    private readonly Option<Dictionary<string, string>> _environment = new("--env") { HelpName = "KEY=VALUE", Description = "A variable of the command; repeatable.", CustomParser = VariableText.Parse, AllowMultipleArgumentsPerToken = false, Arity = ArgumentArity.OneOrMore };
    private readonly Option<string> _workingDirectory = new("--workdir") { HelpName = "DIR", Description = "Where the command starts. Default: /.", DefaultValueFactory = static _ => "/" };
    private readonly Option<string> _hostName = new("--hostname") { HelpName = "NAME", Description = "The guest's host name. Default: sandbox.", DefaultValueFactory = static _ => "sandbox" };
    private readonly Option<string[]> _disks = new("--disk") { HelpName = "PATH[:ro]", Description = "A further disk: raw file or block device; repeatable. The guest's /dev/vdb, /dev/vdc, ...", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
    private readonly Option<bool> _timing = new("--timing") { Description = "Prints the phases of the start in milliseconds to standard error." };
    private readonly Option<bool> _verbose = new("--verbose") { Description = "Copies the guest's console to standard error." };
    private readonly Argument<string[]> _command = new("COMMAND") { Description = "The command and its arguments.", Arity = ArgumentArity.OneOrMore, CaptureRemainingTokens = true };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_rootFileSystem, _kernel, _kernelArguments, _memory, _cpus, _timeout, _environment, _workingDirectory, _hostName, _disks, _timing, _verbose])
        {
            command.Options.Add(option);
        }

        command.Arguments.Add(_command);
    }

    public RunRequest Read(ParseResult result)
    {
        bool verbose = result.GetValue(_verbose);
        TimeSpan? timeout = result.GetValue(_timeout);
        DiskOptions[] disks = [.. (result.GetValue(_disks) ?? []).Select(DiskText.Parse)];
        MicroVmOptions defaults = new();
        return new RunRequest(
            new MicroVmOptions
            {
                RootFileSystem = result.GetValue(_rootFileSystem),
                Kernel = result.GetValue(_kernel),
                KernelArguments = result.GetValue(_kernelArguments)!,
                MemoryBytes = result.GetValue(_memory),
                CpuCount = result.GetValue(_cpus),
                HostName = result.GetValue(_hostName)!,
                Disks = disks,
                StartTimeout = timeout < defaults.StartTimeout ? timeout.Value : defaults.StartTimeout,
                ConsoleReceived = verbose ? ConsoleCopy.Write : null,
            },
            new ExecOptions
            {
                Command = result.GetValue(_command)!,
                Environment = result.GetValue(_environment) ?? [],
                WorkingDirectory = result.GetValue(_workingDirectory)!,
            },
            timeout,
            result.GetValue(_timing));
    }
}
