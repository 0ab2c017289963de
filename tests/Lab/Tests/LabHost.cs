namespace Sandbox.Lab.Tests;

/// <summary>Where guests run, shared by all tests: this machine if it has hardware virtualization, else the lab host.</summary>
public sealed class LabHost : IDisposable
{
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(180);

    private readonly IGuestHost _host = HasHardwareVirtualization ? new LocalGuestHost() : new LabGuestHost();

    /// <summary>Whether Linux guests run on this machine itself, at full speed.</summary>
    public static bool HasHardwareVirtualization { get; } =
        File.Exists("/dev/kvm") && File.ReadLines("/proc/cpuinfo").Any(line =>
            line.StartsWith("flags", StringComparison.Ordinal) && line.Split(' ') is string[] flags && (flags.Contains("svm") || flags.Contains("vmx")));

    /// <summary>Runs any command there.</summary>
    public Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, byte[]? input = null, TimeSpan? limit = null) =>
        _host.RunAsync(arguments, input ?? [], limit ?? DefaultLimit);

    /// <summary>Runs a bash script there, in which <c>$sandbox</c> is the exe.</summary>
    public Task<CommandResult> ScriptAsync(string script, byte[]? input = null, TimeSpan? limit = null) =>
        RunAsync(["bash", "-c", $"sandbox={Product.Exe}\n{script}"], input, limit);

    /// <summary>Runs <c>sandbox</c> there.</summary>
    public Task<CommandResult> SandboxAsync(params string[] arguments) => RunAsync([Product.Exe, .. arguments]);

    public void Dispose() => _host.Dispose();
}
