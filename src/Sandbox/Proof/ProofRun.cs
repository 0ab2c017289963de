using System.Globalization;
using System.Text;
using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Control.Proof;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Proof;

/// <summary>Attempts every act in one place after the other. One probe process for each attempt: most acts end it.</summary>
internal sealed class ProofRun(ProofCast cast, LaunchFiles files, Baits baits, int neighbourPid)
{
    /// <summary>A device process gets these from the VMM when its driver starts; a probe is born with them.</summary>
    private const int GuestMemoryNumber = 40;
    private const int KickNumber = 41;
    private const int CallNumber = 42;

    private const int AtOnce = 4;
    private const int LongestAttemptMilliseconds = 10_000;

    /// <summary>Any: the right to read a process is asked before the address.</summary>
    private const ulong UnknownAddress = 0x1000;

    public async Task<IReadOnlyList<ActResult>> AttemptAllAsync(ProbedPlace place, CancellationToken cancellationToken)
    {
        ActResult[] results = new ActResult[ActCatalog.All.Count];
        int done = 0;
        while (done < results.Length)
        {
            await using ProofStage stage = await ProofStage.StartAsync(cast, files, place, cancellationToken).ConfigureAwait(false);
            // The VMM waits for a backend for some time only: on a slow machine it takes more than one sandbox.
            for (; done < results.Length && !stage.HasEnded; done += AtOnce)
            {
                int first = done;
                Task<ActResult>[] attempts = new Task<ActResult>[Math.Min(AtOnce, results.Length - first)];
                for (int index = 0; index < attempts.Length; index++)
                {
                    attempts[index] = AttemptAsync(stage, place, ActCatalog.All[first + index], cancellationToken);
                }

                (await Task.WhenAll(attempts).ConfigureAwait(false)).CopyTo(results, first);
            }
        }

        return results;
    }

    private async Task<ActResult> AttemptAsync(ProofStage stage, ProbedPlace place, ActInfo act, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ActOutcome outcome = await AttemptAsync(stage, place, act, filtered: true).ConfigureAwait(false);
        ActOutcome withoutFilter = await AttemptAsync(stage, place, act, filtered: false).ConfigureAwait(false);
        return new ActResult(act.Act.ToString(), act.Group, act.Text, outcome, withoutFilter, act.Walls);
    }

    private async Task<ActOutcome> AttemptAsync(ProofStage stage, ProbedPlace place, ActInfo act, bool filtered)
    {
        ProcessPlan plan = stage.Free;
        using FdHandle kick = EventFd.Create();
        using FdHandle call = EventFd.Create();
        IReadOnlyList<InheritedFd> fds = plan.IsVmm ? plan.Fds : [.. plan.Fds, new(GuestMemoryNumber, files.GuestMemory), new(KickNumber, kick), new(CallNumber, call)];
        ProbeOrder order = new()
        {
            Act = act.Act,
            Process = place.Process,
            Filtered = filtered,
            OtherPid = stage.Vmm.Child.Pid,
            NeighbourPid = neighbourPid,
            LauncherPid = Environment.ProcessId,
            Address = ReadableAddress(stage.Vmm.Child.Pid),
            SharedMemoryId = baits.SharedMemoryId,
            Port = baits.Port,
            BackingFd = plan.Device?.Kind == DeviceKind.Block ? InheritedFds.DeviceFirstBacking : -1,
            BackingBytes = plan.Device?.CapacityBytes ?? 0,
            GuestMemoryFd = plan.IsVmm ? InheritedFds.VmmGuestMemory : GuestMemoryNumber,
            SocketPath = baits.SocketPath,
        };
        using WatchedProcess probe = await cast.Starter.StartAsync(plan.Argv, cast.Probe, fds, order.Encode(), plan.Limits, plan.Device?.Kind).ConfigureAwait(false);
        return await Task.Run(() => Finish(probe)).ConfigureAwait(false);
    }

    private static ActOutcome Finish(WatchedProcess probe)
    {
        bool ended = Poll.Wait(probe.Child.PidFd.Number, PollEvents.Readable, LongestAttemptMilliseconds, out _) == 1;
        if (!ended)
        {
            _ = probe.Child.Kill(Signals.Kill);
        }

        ExitStatus status = probe.Child.Wait();
        if (!ended)
        {
            return new ActOutcome(ActRefusal.NotAttempted, "it did not end");
        }

        Span<byte> said = stackalloc byte[1];
        ActOutcome outcome = ActOutcome.Of(FdIo.Read(probe.Control!.Number, said) == 1 ? said[0] : null, status);
        return outcome.Refusal == ActRefusal.NotAttempted ? outcome with { How = $"{status}: {Words(probe)}" } : outcome;
    }

    private static string Words(WatchedProcess probe)
    {
        Span<byte> text = stackalloc byte[256];
        int count = FdIo.Read(probe.Errors.Number, text);
        return count > 0 ? Encoding.ASCII.GetString(text[..count]).Trim() : "it said nothing";
    }

    /// <summary>Memory of another process that could be read and written, for an act that shall fail for no other reason than a wall.</summary>
    private static ulong ReadableAddress(int pid)
    {
        try
        {
            string[] lines = TextFile.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps"));
            string? line = Array.Find(lines, static line => line.Contains(" rw-p ", StringComparison.Ordinal));
            return line is null ? UnknownAddress : ulong.Parse(line.AsSpan(0, line.IndexOf('-', StringComparison.Ordinal)), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        catch (LinuxException)
        {
            return UnknownAddress; // an ordinary user cannot look into a process that made itself untraceable
        }
    }
}
