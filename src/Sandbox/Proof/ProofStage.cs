using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Proof;

/// <summary>
/// A real sandbox without one of its processes, whose place is free for probes. The others run their own executables and wait for the one
/// that is missing: the VMM in the middle of its negotiation, so that no guest instruction ever runs.
/// </summary>
internal sealed class ProofStage : IAsyncDisposable
{
    private const int ReadySeconds = 30;

    private readonly List<FdHandle> _lent = [];
    private readonly ProcessPlan _free;
    private ProcessWatch _watch = null!;
    private FdHandle _agent = null!;

    private ProofStage(List<ProcessPlan> plans, ProbedPlace place) => _free = place.Find(plans);

    /// <summary>The process whose place is free.</summary>
    public ProcessPlan Free => _free;

    /// <summary>The VMM, or where its place is the free one, the first device process.</summary>
    public WatchedProcess Vmm => _watch.Processes[0];

    /// <summary>One of its processes has ended: what stands here is no whole sandbox any more.</summary>
    public bool HasEnded => _watch.FirstEnd.IsCompleted;

    public static async Task<ProofStage> StartAsync(ProofCast cast, LaunchFiles files, ProbedPlace place, CancellationToken cancellationToken)
    {
        (FdHandle console, FdHandle consoleWriter) = Pipe.Create();
        (FdHandle agent, FdHandle agentInDevice) = UnixSocket.CreatePair();
        List<FdHandle> lent = [consoleWriter, agentInDevice];
        List<ProcessPlan> plans = ProcessPlan.For(files, DevicePlan.For(files, agentInDevice, ports: [], backends: []), consoleWriter, lent);
        ProofStage stage = new(plans, place) { _agent = agent };
        stage._lent.AddRange(lent);
        List<WatchedProcess> started = [];
        try
        {
            foreach (ProcessPlan plan in plans.Where(plan => plan != stage._free))
            {
                started.Add(await cast.Starter.StartAsync(plan.Argv, cast.RealExecutable(plan), plan.Fds, plan.Spec, plan.Limits, plan.Device?.Kind).ConfigureAwait(false));
            }
        }
        finally
        {
            // Also when a start failed: what was started must end.
            stage._watch = new ProcessWatch(started, revival: null, console, consoleReceived: null);
            stage._watch.Start();
            if (started.Count < plans.Count - 1)
            {
                await stage.DisposeAsync().ConfigureAwait(false);
            }
        }

        try
        {
            await stage.WaitUntilReadyAsync(cancellationToken).ConfigureAwait(false);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Kill();
        await _watch.AllEnded.ConfigureAwait(false);
        _watch.Dispose();
        _agent.Dispose();
        foreach (FdHandle fd in _lent)
        {
            fd.Dispose();
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        Task ready = Task.WhenAll(_watch.Processes.Select(static process => process.Ready));
        try
        {
            await Task.WhenAny(ready, _watch.FirstEnd).WaitAsync(TimeSpan.FromSeconds(ReadySeconds), cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Said below.
        }

        if (!ready.IsCompletedSuccessfully)
        {
            throw new SandboxException(SandboxErrorKind.HostFailure, "the sandbox to be probed did not come up; see what `sandbox run -- /bin/true` says");
        }
    }
}
