using Sandbox.Fuzz.Devices;

namespace Sandbox.Fuzz.Targets;

/// <summary>Every target by its name.</summary>
internal static class TargetList
{
    private static readonly (string Name, Func<IFuzzer> Open)[] All =
    [
        ("blk", () => new BlockFuzzer()),
        ("disk", () => new BlockFuzzer(new DiskThreads())),
        ("rng", () => new EntropyFuzzer()),
        ("balloon", () => new BalloonFuzzer()),
        ("vsock", () => new VsockFuzzer()),
        ("net", () => new NetFuzzer(tap: false)),
        ("tap", () => new NetFuzzer(tap: true)),
        ("virtqueue", () => new VirtqueueFuzzer()),
        ("session", () => new SessionFuzzer()),
        ("backend", () => new BackendFuzzer()),
        ("frontend", () => new FrontendFuzzer()),
        ("agent", () => new AgentFuzzer()),
        ("launch", () => new LaunchFuzzer()),
        ("inbox", () => new InboxFuzzer()),
        ("client", () => new ClientFuzzer()),
        ("words", () => new WordsFuzzer()),
        ("arguments", () => new ArgumentsFuzzer()),
        ("boot", () => new BootFuzzer()),
        ("seccomp", () => new SeccompFuzzer()),
        ("acpi", () => new AcpiFuzzer()),
        ("transport", () => new TransportFuzzer()),
        ("ports", () => new PortsFuzzer()),
    ];

    public static IEnumerable<string> Names => All.Select(entry => entry.Name);

    /// <exception cref="ArgumentException">There is no such target.</exception>
    public static TargetLease Open(string name)
    {
        Func<IFuzzer>? open = All.FirstOrDefault(entry => entry.Name == name).Open;
        return open is not null
            ? new TargetLease(open())
            : throw new ArgumentException($"no target '{name}'; there are {string.Join(' ', Names)}");
    }
}
