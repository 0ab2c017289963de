using Sandbox.Cli.Text;

namespace Sandbox.Cli.Run;

/// <summary>
/// Reads the arguments of `sandbox run`. Options end at "--" or at the first word that is none: what follows is the command's, so that
/// `sandbox run ls -l` needs no "--". Written by hand: System.CommandLine makes the exe 1.5 MB larger than it may be.
/// </summary>
internal sealed class RunArguments
{
    private readonly List<DiskOptions> _disks = [];
    private readonly List<VhostUserDeviceOptions> _devices = [];
    private readonly List<VsockPortOptions> _vsockPorts = [];
    private readonly Dictionary<string, string> _environment = [];
    private readonly NetworkArguments _network = new();
    private DiskRateOptions? _diskRate;
    private string? _rootFileSystem;
    private string? _kernel;
    private string? _kernelArguments;
    private long? _memoryBytes;
    private int? _cpuCount;
    private string? _hostName;
    private string? _workingDirectory;
    private TimeSpan? _timeout;
    private SeLinuxMode? _seLinux;
    private string? _seLinuxLevel;
    private readonly LimitArguments _limits = new();
    private bool _balloon;
    private bool _timing;
    private bool _verbose;
    private bool _terminal;

    /// <summary>Null: help is asked for.</summary>
    /// <exception cref="SandboxException">An option is unknown, has no value or no valid one, or there is no command.</exception>
    public static RunRequest? Parse(ReadOnlySpan<string> arguments)
    {
        RunArguments run = new();
        int index = 0;
        for (; index < arguments.Length && arguments[index].StartsWith('-'); index++)
        {
            string option = arguments[index];
            if (option == "--")
            {
                index++;
                break;
            }

            if (option is "-h" or "--help")
            {
                return null;
            }

            if (run.TrySetFlag(option))
            {
                continue;
            }

            int equals = option.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? option : option[..equals];
            string? value = equals >= 0 ? option[(equals + 1)..] : index + 1 < arguments.Length ? arguments[++index] : null;
            run.Set(name, value);
        }

        return index < arguments.Length
            ? run.Make(arguments[index..].ToArray())
            : throw Invalid("no command; give the program to run after the options");
    }

    private bool TrySetFlag(string option)
    {
        switch (option)
        {
            case "--balloon":
                _balloon = true;
                return true;
            case "--timing":
                _timing = true;
                return true;
            case "--verbose":
                _verbose = true;
                return true;
            case "-t" or "--tty" or "-it" or "-ti":
                _terminal = true;
                return true;
            case "-i" or "--interactive":
                return true; // standard input always goes to the command
            default:
                return false;
        }
    }

    private void Set(string option, string? given)
    {
        string value = given ?? "";
        switch (option)
        {
            case "--rootfs":
                _rootFileSystem = value;
                break;
            case "--kernel":
                _kernel = value;
                break;
            case "--kernel-args":
                _kernelArguments = value;
                break;
            case "--hostname":
                _hostName = value;
                break;
            case "--workdir":
                _workingDirectory = value;
                break;
            case "--disk":
                _disks.Add(DiskText.Parse(value));
                break;
            case "--disk-rate":
                _diskRate = RateText.Parse(option, value);
                break;
            case "--device":
                _devices.Add(DeviceText.Parse(value));
                break;
            case "--vsock":
                _vsockPorts.Add(VsockText.Parse(value));
                break;
            case "--memory":
                _memoryBytes = SizeText.Parse(option, value);
                break;
            case "--cpus":
                _cpuCount = CountText.Parse(option, value);
                break;
            case "--timeout":
                _timeout = DurationText.Parse(option, value);
                break;
            case "--selinux":
                _seLinux = SeLinuxText.Parse(value);
                break;
            case "--selinux-level":
                _seLinuxLevel = value;
                break;
            case "--env":
                (string key, string text) = VariableText.Parse(value);
                _environment[key] = text;
                break;
            case LimitArguments.Memory or LimitArguments.Threads or LimitArguments.Processors or LimitArguments.Disks or LimitArguments.Group:
                _limits.Set(option, value);
                break;
            default:
                if (!_network.TrySet(option, value))
                {
                    throw Invalid($"option {option} is unknown; see `sandbox run --help`");
                }

                break;
        }

        if (given is null)
        {
            throw Invalid($"option {option} has no value; see `sandbox run --help`");
        }
    }

    private RunRequest Make(string[] command)
    {
        MicroVmOptions defaults = new();
        if (_terminal && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } kind)
        {
            _environment.TryAdd("TERM", kind);
        }

        return new RunRequest(
            new MicroVmOptions
            {
                RootFileSystem = _rootFileSystem,
                Kernel = _kernel,
                KernelArguments = _kernelArguments ?? defaults.KernelArguments,
                MemoryBytes = _memoryBytes ?? defaults.MemoryBytes,
                CpuCount = _cpuCount ?? defaults.CpuCount,
                HostName = _hostName ?? defaults.HostName,
                Disks = _disks,
                DiskRate = _diskRate ?? defaults.DiskRate,
                Network = _network.Make(),
                Balloon = _balloon,
                VhostUserDevices = _devices,
                VsockPorts = _vsockPorts,
                HostLimits = _limits.Make(),
                StartTimeout = _timeout ?? defaults.StartTimeout,
                SeLinux = _seLinux ?? defaults.SeLinux,
                SeLinuxLevel = _seLinuxLevel,
                ConsoleReceived = _verbose ? ConsoleCopy.Write : null,
            },
            new ExecOptions
            {
                Command = command,
                Environment = _environment,
                WorkingDirectory = _workingDirectory ?? "/",
                Terminal = _terminal ? HostTerminal.Size : null,
            },
            _timeout,
            _timing,
            _terminal,
            _verbose);
    }

    private static SandboxException Invalid(string message) => new(SandboxErrorKind.InvalidOption, message);
}
