namespace Sandbox.Bench.Machines;

/// <summary>A machine around a micro guest (kernels/micro).</summary>
internal sealed class BenchVmOptions
{
    public required string Guest { get; init; }

    public string CommandLine { get; init; } = "";

    public long MemoryBytes { get; init; } = 8 << 20;

    /// <summary>As shipped; false is for the cost of the jail only.</summary>
    public bool Jailed { get; init; } = true;

    /// <summary>Paths of other exes than the shipped ones.</summary>
    public string? Vmm { get; init; }

    /// <inheritdoc cref="Vmm"/>
    public string? Device { get; init; }

    /// <summary>A raw image behind a device process of its own.</summary>
    public string? DiskImage { get; init; }
}
