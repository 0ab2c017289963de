using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Groups;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox;

/// <summary>
/// A running microVM: a Linux guest on KVM, in processes of its own. Disposing it ends them at once and waits until nothing of it is left on the host.
/// If the application ends without that, however it ends, they end with it. All members may be used from any thread.
/// </summary>
public sealed class MicroVm : IAsyncDisposable
{
    private static readonly string[] DefaultEnvironment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root"];

    private static readonly TimeSpan LostAgentGrace = TimeSpan.FromSeconds(2);

    private readonly ProcessWatch _watch;
    private readonly AgentClient _agent;
    private readonly string _kernelPath;
    private readonly SandboxSecurity _security;
    private readonly SandboxGroup? _group;
    private readonly IReadOnlyList<DiskOptions> _disks;
    private readonly Lock _sizeGate = new();
    private readonly Lock _endGate = new();
    private bool _endedByOwner;
    private Task? _end;

    private MicroVm(ProcessWatch watch, AgentClient agent, LaunchFiles files, SandboxSecurity security, SandboxGroup? group)
    {
        (_watch, _agent, _kernelPath, _disks, _security, _group) = (watch, agent, files.KernelPath, files.Options.Disks, security, group);
        Ended = WatchEndAsync();
    }

    /// <summary>How long each phase of the start took.</summary>
    public StartTimings StartTimings { get; private set; }

    /// <summary>What SELinux does about it.</summary>
    public SeLinuxStatus SeLinux => _security.Status;

    /// <summary>How many device processes died so far, or had to go for a disk's new size, and were replaced while the guest ran on.</summary>
    public int DeviceReplacements => _watch.Replacements;

    /// <summary>A line for each limit of the host's that is not held, and why (<see cref="HostLimitOptions"/>); empty when all are.</summary>
    public IReadOnlyList<string> UnenforcedLimits { get; private init; } = [];

    /// <summary>
    /// Completes when the microVM is over and its processes are gone: with null when its owner ended it, else with the reason in one line. Never faults.
    /// </summary>
    public Task<SandboxException?> Ended { get; }

    /// <summary>
    /// Starts a microVM and returns when commands can run in it. Cancelling kills what was started.
    /// </summary>
    /// <exception cref="SandboxException">An option is not valid, the host lacks something, or the guest did not come up; nothing is left of it.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing is left of it.</exception>
    public static async Task<MicroVm> StartAsync(MicroVmOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionCheck.Check(options);
        StartClock clock = new();
        InstallLayout layout = new(options.ExecutableDirectory);
        using CancellationTokenSource timeout = new(options.StartTimeout);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using LaunchFiles files = await LaunchFiles.OpenAsync(options, layout, stop.Token).ConfigureAwait(false);
            clock.FilesOpened = clock.Now;
            stop.Token.ThrowIfCancellationRequested();
            MicroVm microVm = await LaunchAsync(files, layout, clock).ConfigureAwait(false);
            return await microVm.WaitForGuestAsync(clock, options, stop.Token, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new SandboxException(
                SandboxErrorKind.HostFailure, $"the host did not prepare the microVM within {SecondsText.Of(options.StartTimeout)}; give it more time");
        }
        catch (LinuxException failure)
        {
            throw new SandboxException(SandboxErrorKind.HostFailure, $"the microVM could not be started: {failure.Message}", failure);
        }
    }

    /// <summary>Starts a command and returns when the guest has executed it. Cancelling kills it, not the microVM.</summary>
    /// <exception cref="SandboxException">The command cannot be executed, an option is not valid, or the microVM has ended.</exception>
    public async Task<SandboxProcess> ExecAsync(ExecOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        OptionCheck.Check(options);
        return new SandboxProcess(await _agent.ExecAsync(options, EnvironmentOf(options), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// Looks at the size of each disk's file (<see cref="MicroVmOptions.Disks"/>) again. Of one that has changed the guest is told and sees it a
    /// moment later; no request of its is lost. Where a file has become shorter, the guest finds an I/O error behind its end;
    /// before this call it may still write there, which makes the file longer again.
    /// </summary>
    /// <returns>How many have changed.</returns>
    /// <exception cref="SandboxException">A file has a size that a disk cannot have, or none can be read: this one stays as it is, the others are looked at all the same. The first such one is told of.</exception>
    public int UpdateDiskSizes()
    {
        int changed = 0;
        List<SandboxException> refused = [];
        lock (_sizeGate)
        {
            for (int index = 0; index < _disks.Count; index++)
            {
                try
                {
                    // The root disk is the first device.
                    changed += !Ended.IsCompleted && _watch.TryResizeDisk(index + 1, $"disk {_disks[index].Path}") ? 1 : 0;
                }
                catch (SandboxException failure)
                {
                    refused.Add(failure);
                }
                catch (LinuxException failure)
                {
                    refused.Add(new SandboxException(SandboxErrorKind.HostFailure, $"disk {_disks[index].Path}: {failure.Message}", failure));
                }
            }
        }

        return refused.Count == 0 ? changed : throw refused[0];
    }

    /// <summary>
    /// Lets the guest end its commands, write its disks and power off; then ends it as <see cref="DisposeAsync"/> does. Cancelling ends it at once.
    /// </summary>
    public async Task ShutdownAsync(CancellationToken cancellationToken = default)
    {
        if (_agent.TryShutdown())
        {
            try
            {
                await Task.WhenAny(_agent.ShutdownDone, _watch.FirstEnd).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The end comes all the same.
            }
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Kills every process of the microVM and waits until they are gone. The guest is not asked: what it had not written to its disks is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        Task end;
        lock (_endGate)
        {
            _endedByOwner |= !Ended.IsCompleted;
            end = _end ??= EndAsync();
        }

        await end.ConfigureAwait(false);
    }

    private static async Task<MicroVm> LaunchAsync(LaunchFiles files, InstallLayout layout, StartClock clock)
    {
        List<string> unenforced = [];
        SandboxSecurity security = SandboxSecurity.Begin(files.Options);
        SandboxGroup? group = null;
        Launcher launcher;
        ProcessWatch watch;
        try
        {
            group = await Task.Run(() => GroupSetup.Make(layout.Jail, files, security.KeeperLabel, unenforced)).ConfigureAwait(false);
            launcher = new(files, layout, security, clock) { Group = group };
            security.LabelFiles(files);
            watch = await launcher.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            // The launcher has ended what it had started.
            SandboxException? outOfMemory = group is { RanOutOfMemory: true } ? group.OutOfMemory : null;
            await Task.Run(() => GroupSetup.End(group)).ConfigureAwait(false);
            security.Dispose();
            if (outOfMemory is not null)
            {
                throw outOfMemory;
            }

            throw;
        }

        GuestNetwork? guestNetwork = files.Network?.Guest;
        AgentClient agent = new(launcher.Agent, () => new ConfigureMessage(
            files.Options.HostName,
            "/dev/vda",
            files.Root.Type,
            WritableOverlay: true,
            (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick,
            guestNetwork,
            HostRandom.Bytes(AgentLimits.EntropyBytes)));
        MicroVm microVm = new(watch, agent, files, security, group) { UnenforcedLimits = unenforced };
        agent.Start();
        return microVm;
    }

    private async Task<MicroVm> WaitForGuestAsync(StartClock clock, MicroVmOptions options, CancellationToken stop, CancellationToken callers)
    {
        try
        {
            await OrEndAsync(Task.WhenAll(_watch.Processes.Select(static process => process.Ready)), stop).ConfigureAwait(false);
            clock.ProcessesReady = clock.Now;
            await OrEndAsync(_agent.Hello, stop).ConfigureAwait(false);
            clock.AgentConnected = clock.Now;
            await OrEndAsync(_agent.Ready, stop).ConfigureAwait(false);
            clock.GuestReady = clock.Now;
            StartTimings = clock.Timings;
            return this;
        }
        catch (OperationCanceledException) when (!callers.IsCancellationRequested)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw EndDiagnosis.Silent(_watch, options.StartTimeout);
        }
        catch
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits for a step of the start, or throws the reason why it will not come.</summary>
    private async Task OrEndAsync(Task step, CancellationToken stop)
    {
        await Task.WhenAny(step, Ended).WaitAsync(stop).ConfigureAwait(false);
        if (!step.IsCompletedSuccessfully)
        {
            throw await Ended.ConfigureAwait(false) ?? AgentClient.EndedByOwner;
        }
    }

    private async Task<SandboxException?> WatchEndAsync()
    {
        Task keeperLost = _group?.KeeperEnded ?? Task.Delay(Timeout.Infinite);
        await Task.WhenAny(_watch.FirstEnd, Task.WhenAny(_agent.Ended, keeperLost)).ConfigureAwait(false);
        SandboxException? said = null;
        if (!_watch.FirstEnd.IsCompleted)
        {
            said = keeperLost.IsCompleted ? SandboxGroup.KeeperLost : await _agent.Ended.ConfigureAwait(false);
            if (said.Kind == SandboxErrorKind.GuestStopped)
            {
                // The agent's connection often breaks a moment before the VMM says why.
                await Task.WhenAny(_watch.FirstEnd, Task.Delay(LostAgentGrace)).ConfigureAwait(false);
                said = _watch.FirstEnd.IsCompleted ? null : said;
            }

            if (said is not null)
            {
                // A guest without its agent, or with one that lies: nothing more can come of it.
                _watch.Kill();
            }
        }

        await _watch.AllEnded.ConfigureAwait(false);
        if (_group is { RanOutOfMemory: true })
        {
            said = _group.OutOfMemory; // whatever else was said followed from it
        }

        await Task.Run(() => GroupSetup.End(_group)).ConfigureAwait(false);
        bool byOwner;
        lock (_endGate)
        {
            byOwner = _endedByOwner;
        }

        SandboxException? reason = byOwner ? null : said ?? EndDiagnosis.Describe(_watch, _watch.Processes[0], _kernelPath);
        _agent.Fail(reason ?? AgentClient.EndedByOwner);
        return reason;
    }

    private async Task EndAsync()
    {
        _watch.Kill();
        await _watch.AllEnded.ConfigureAwait(false);
        _agent.Dispose();
        await Ended.ConfigureAwait(false);
        lock (_sizeGate)
        {
            _watch.Dispose(); // nobody looks at a disk's file any more
        }

        _security.Dispose();
    }

    private static List<string> EnvironmentOf(ExecOptions options)
    {
        List<string> environment = [.. options.Environment.Select(static variable => $"{variable.Key}={variable.Value}")];
        foreach (string variable in DefaultEnvironment)
        {
            if (!options.Environment.ContainsKey(variable[..variable.IndexOf('=', StringComparison.Ordinal)]))
            {
                environment.Add(variable);
            }
        }

        if (options.Terminal is not null && !options.Environment.ContainsKey("TERM"))
        {
            environment.Add("TERM=xterm-256color"); // what every terminal of today understands
        }

        return environment;
    }
}
