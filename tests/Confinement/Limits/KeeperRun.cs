using System.Globalization;
using Sandbox.Confinement.Tests.Jail;
using Sandbox.Control.Jail;
using Sandbox.Groups;
using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>A keeper alone, or one whose launcher is the tracer, to be killed with it at any of its calls.</summary>
internal sealed class KeeperRun : IDisposable
{
    private const int Alive = JailFds.FirstGroup + JailFds.MaxGroups - 1; // the keeper closes all but its own numbers; three trees are the most here; where there are four groups, it has none
    private const int TracersTrace = 8;
    private const int TracersJail = 7;
    private readonly FdHandle _lifeline;
    private readonly FdHandle _reports;
    private readonly FdHandle _alive;

    private KeeperRun(ChildProcess process, FdHandle lifeline, FdHandle reports, FdHandle alive) => (Process, _lifeline, _reports, _alive) = (process, lifeline, reports, alive);

    internal ChildProcess Process { get; }

    internal static KeeperRun Start(List<ParentGroup> parents, IReadOnlyList<string> arguments, string? executable = null)
    {
        using FdHandle jail = FileOpen.Read(executable ?? Repository.Exe("sandbox-jail"));
        return Start(parents, arguments, jail, ["sandbox-jail"], traced: null, trace: null);
    }

    /// <summary>The tracer holds the lifeline; the keeper's calls are killed, refused or counted as its mode says.</summary>
    internal static KeeperRun StartTraced(string mode, int index, List<ParentGroup> parents, string name, FdHandle trace)
    {
        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        using FdHandle tracer = FileOpen.Read(CProgram.Tracer);
        return Start(parents, [name], tracer, ["tracer", "launch", mode, index.ToString(CultureInfo.InvariantCulture), "together"], jail, trace);
    }

    /// <summary>What the keeper says first.</summary>
    internal JailReport Report()
    {
        byte[] message = new byte[JailReport.Bytes];
        Assert.Equal(message.Length, CredentialSocket.Receive(_reports.Number, message, out _));
        return JailReport.Decode(message);
    }

    /// <summary>As when its launcher ends.</summary>
    internal void CutLifeline() => _lifeline.Dispose();

    /// <summary>Until the keeper has said something or can say no more.</summary>
    internal void WaitForWord(int milliseconds) => Assert.Equal(1, Poll.Wait(_reports.Number, PollEvents.Readable, milliseconds, out _));

    /// <summary>Until no process of it is left: they alone hold the pipe's other end. False when one still is.</summary>
    internal bool WaitUntilGone(int milliseconds)
    {
        byte[] said = new byte[256];
        while (Poll.Wait(_alive.Number, PollEvents.Readable, milliseconds, out _) > 0)
        {
            if (FdIo.Read(_alive.Number, said) <= 0)
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose()
    {
        _lifeline.Dispose();
        _reports.Dispose();
        _alive.Dispose();
        _ = Process.Wait();
        Process.Dispose();
    }

    private static KeeperRun Start(List<ParentGroup> parents, IReadOnlyList<string> keeperArguments, FdHandle executable, string[] arguments, FdHandle? traced, FdHandle? trace)
    {
        using FdHandle spec = MemFd.Create("keeper-spec");
        (FdHandle childLifeline, FdHandle lifeline) = Pipe.Create();
        (FdHandle reports, FdHandle childReports) = CredentialSocket.CreatePair();
        (FdHandle alive, FdHandle childAlive) = Pipe.Create();
        (FdHandle gate, FdHandle opener) = Pipe.Create();
        List<ControlGroupFolder> opened = [.. parents.Select(parent => ControlGroupFolder.Open(parent.Path))];
        List<FdHandle> folders = [.. opened.Select(folder => folder.Handle)];
        bool overrides = !opened.TrueForAll(folder => folder.IsWritableForItsOwner);
        Assert.Equal(0, FdIo.WriteAll(spec.Number, new JailSpec { KeepsGroups = true, GroupCount = parents.Count, OverridesModes = overrides, Fds = [0], Arguments = keeperArguments }.Encode()));
        List<InheritedFd> fds = [new(0, childLifeline), new(JailFds.Status, childReports), new(JailFds.Spec, spec)];
        fds.AddRange(folders.Select((folder, index) => new InheritedFd(JailFds.FirstGroup + index, folder)));
        if (parents.Count < JailFds.MaxGroups)
        {
            fds.Add(new(Alive, childAlive));
        }

        if (traced is not null)
        {
            fds.AddRange([new(TracersJail, traced), new(TracersTrace, trace!), new(OrphanedStart.Launchers, lifeline), new(OrphanedStart.Gate, gate)]);
        }

        ChildProcess process = ChangedExe.Spawn(new SpawnSpec { Executable = executable, Arguments = arguments, Fds = fds });
        foreach (FdHandle lent in (FdHandle[])[childLifeline, childReports, childAlive, .. folders])
        {
            lent.Dispose();
        }

        if (traced is not null)
        {
            lifeline.Dispose(); // the tracer, as the launcher, holds the only one
        }

        gate.Dispose();
        opener.Dispose();

        return new KeeperRun(process, lifeline, reports, alive);
    }
}
