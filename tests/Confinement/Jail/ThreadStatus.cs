using System.Globalization;
using Sandbox.Runtime;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>/proc/PID/task/TID/status (proc(5)).</summary>
internal sealed class ThreadStatus
{
    private const string RunningVcpu = "16"; // the number of ioctl(2): KVM_RUN

    private readonly Dictionary<string, string> _fields;
    private readonly string _folder;

    private ThreadStatus(string process, string folder)
    {
        Process = process;
        _folder = folder;
        _fields = File.ReadAllLines($"{folder}/status").Select(static line => line.Split(':', 2)).ToDictionary(static parts => parts[0], static parts => parts[1].Trim());
    }

    /// <summary>The name of its process.</summary>
    internal string Process { get; }

    internal string this[string field] => _fields[field];

    internal int FilterCount => int.Parse(this["Seccomp_filters"], CultureInfo.InvariantCulture);

    /// <summary>It is in KVM_RUN now.</summary>
    internal bool IsVcpu => File.ReadAllText($"{_folder}/syscall").Split(' ')[0] == RunningVcpu;

    internal static IEnumerable<ThreadStatus> Of(WatchedProcess process) =>
        Directory.GetDirectories($"/proc/{process.Child.Pid}/task").Select(folder => new ThreadStatus(process.Name, folder));

    public override string ToString() => $"{Process}, thread {this["Pid"]}";
}
