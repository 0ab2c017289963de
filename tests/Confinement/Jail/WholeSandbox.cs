using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>Every process that a sandbox can have, started as the product starts it, around a micro guest that sleeps: on KVM, with two vCPUs, disks, vsock, entropy, a balloon and a network.</summary>
internal sealed class WholeSandbox : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly LaunchFiles _files;
    private readonly ProcessWatch _watch;
    private readonly FdHandle _agent;
    private readonly string _disk;

    private WholeSandbox(LaunchFiles files, ProcessWatch watch, FdHandle agent, string disk) => (_files, _watch, _agent, _disk) = (files, watch, agent, disk);

    internal ProcessWatch Watch => _watch;

    /// <summary>All but passt, which is a program of the host and jails itself.</summary>
    internal IEnumerable<WatchedProcess> Processes => _watch.Processes.Where(static process => process.Control is not null);

    /// <summary>Returns when the guest runs and every device process serves.</summary>
    internal static async Task<WholeSandbox> StartAsync()
    {
        // Not in /tmp, which may be memory: a disk on a medium has more threads, and they are to be judged.
        string disk = Path.Combine(AppContext.BaseDirectory, $"disk-{Guid.NewGuid():N}");
        await File.WriteAllBytesAsync(disk, new byte[1 << 20]);
        TaskCompletionSource guestRuns = new(TaskCreationOptions.RunContinuationsAsynchronously);
        MicroVmOptions options = new()
        {
            ExecutableDirectory = Repository.Exes,
            Kernel = MicroGuest("halt"),
            MemoryBytes = MicroVmOptions.MinMemoryBytes,
            CpuCount = 2,
            Disks = [new DiskOptions { Path = disk }],
            Balloon = true,
            Network = new NetworkOptions { Kind = NetworkKind.User },
            ConsoleReceived = _ => guestRuns.TrySetResult(),
        };
        InstallLayout layout = new(options.ExecutableDirectory);
        LaunchFiles files = await LaunchFiles.OpenAsync(options, layout, CancellationToken.None);
        Launcher launcher = new(files, layout, SandboxSecurity.None, new StartClock());
        ProcessWatch watch = await launcher.StartAsync();
        WholeSandbox sandbox = new(files, watch, launcher.Agent, disk);
        Task up = Task.WhenAll([guestRuns.Task, .. watch.Processes.Select(static process => process.Ready)]);
        Task first = await Task.WhenAny(up, watch.FirstEnd, Task.Delay(Patience));
        if (first != up)
        {
            string words = string.Join('\n', watch.Processes.Select(static process => $"{process.Name}: {process.Ended?.Text} {process.Status}"));
            await sandbox.DisposeAsync();
            throw new InvalidOperationException($"the sandbox did not come up:\n{words}");
        }

        return sandbox;
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Kill();
        await _watch.AllEnded;
        _watch.Dispose();
        _agent.Dispose();
        _files.Dispose();
        File.Delete(_disk);
    }

    private static string MicroGuest(string name)
    {
        using System.Diagnostics.Process recipe = System.Diagnostics.Process.Start("bash", [Path.Combine(Repository.Root, "kernels", "micro.sh")]);
        recipe.WaitForExit();
        return Path.Combine(Repository.Root, "artifacts", "micro", name + ".elf");
    }
}
