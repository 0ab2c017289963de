using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>Collects the milestones of a start. A time that a process reports is its word: it is shown, and nothing depends on it.</summary>
internal sealed class StartClock
{
    private readonly long _start = MonotonicClock.Nanoseconds;
    private readonly long[] _vmmPhases = new long[(int)VmmPhase.FirstVcpuRun + 1];

    public TimeSpan FilesOpened { get; set; }

    public TimeSpan ProcessesSpawned { get; set; }

    public TimeSpan ProcessesReady { get; set; }

    public TimeSpan AgentConnected { get; set; }

    public TimeSpan GuestReady { get; set; }

    public TimeSpan Now => Since(MonotonicClock.Nanoseconds);

    public void Reached(PhaseReached phase) => Volatile.Write(ref _vmmPhases[(int)phase.Phase], phase.MonotonicNanoseconds);

    public StartTimings Timings => new(
        FilesOpened,
        ProcessesSpawned,
        ProcessesReady,
        VmmPhaseTime(VmmPhase.KernelLoaded),
        VmmPhaseTime(VmmPhase.DevicesAttached),
        VmmPhaseTime(VmmPhase.FirstVcpuRun),
        AgentConnected,
        GuestReady);

    private TimeSpan VmmPhaseTime(VmmPhase phase) => Since(Volatile.Read(ref _vmmPhases[(int)phase]));

    private TimeSpan Since(long nanoseconds) => TimeSpan.FromTicks(Math.Max(0, nanoseconds - _start) / TimeSpan.NanosecondsPerTick);
}
