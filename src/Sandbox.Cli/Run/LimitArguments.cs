using Sandbox.Cli.Text;

namespace Sandbox.Cli.Run;

/// <summary>Reads the options of `sandbox run` that limit what a microVM uses of the host.</summary>
internal sealed class LimitArguments
{
    public const string Memory = "--memory-limit";
    public const string Threads = "--pids-limit";
    public const string Processors = "--cpu-limit";
    public const string Disks = "--io-limit";
    public const string Group = "--cgroup-parent";

    private long? _memoryBytes;
    private int? _threads;
    private int? _cpuPercent;
    private long? _diskBytesPerSecond;
    private string? _controlGroup;

    /// <exception cref="SandboxException">The value is no number.</exception>
    public void Set(string option, string value)
    {
        switch (option)
        {
            case Memory:
                _memoryBytes = SizeText.Parse(option, value);
                break;
            case Threads:
                _threads = CountText.Parse(option, value);
                break;
            case Processors:
                _cpuPercent = CountText.Parse(option, value.EndsWith('%') ? value[..^1] : value);
                break;
            case Disks:
                _diskBytesPerSecond = SizeText.Parse(option, value);
                break;
            default:
                _controlGroup = value;
                break;
        }
    }

    public HostLimitOptions Make() => new()
    {
        MemoryBytes = _memoryBytes,
        Threads = _threads,
        CpuPercent = _cpuPercent,
        DiskBytesPerSecond = _diskBytesPerSecond,
        ControlGroup = _controlGroup,
    };
}
