using System.Text;
using Sandbox.Control.Proof;
using Sandbox.Proof;

namespace Sandbox.Confinement.Tests.Walls;

/// <summary>Every act behind no wall, behind each wall alone, and behind all walls of the jail: attempted once for a test run.</summary>
public sealed class WallMatrix : IAsyncLifetime
{
    private const int AtOnce = 4;

    private readonly Dictionary<(ForbiddenAct, ConfinementWall), ActOutcome> _outcomes = [];

    /// <summary>Each wall that the test jail can raise by itself.</summary>
    internal static ConfinementWall[] Walls { get; } =
    [
        ConfinementWall.Identity, ConfinementWall.UserNamespace, ConfinementWall.PidNamespace, ConfinementWall.NetworkNamespace, ConfinementWall.IpcNamespace,
        ConfinementWall.EmptyRoot, ConfinementWall.Capabilities, ConfinementWall.NoNewCode, ConfinementWall.Limits, ConfinementWall.ClosedFds, ConfinementWall.Landlock, ConfinementWall.Filter,
    ];

    internal static ConfinementWall OfTheJail { get; } = Walls.Where(static wall => wall != ConfinementWall.Filter).Aggregate(static (all, wall) => all | wall);

    /// <summary>The limit of processes binds a user, and root not (setrlimit(2), RLIMIT_NPROC).</summary>
    internal static ConfinementWall LimitOfUser { get; } = ConfinementWall.Limits | ConfinementWall.Identity;

    internal ActOutcome this[ForbiddenAct act, ConfinementWall walls] => _outcomes[(act, walls)];

    /// <summary>Done where nothing stands: only then a wall can be judged by it.</summary>
    internal bool IsPossible(ForbiddenAct act) => this[act, ConfinementWall.None].Refusal == ActRefusal.None;

    public async Task InitializeAsync()
    {
        Assert.True(Environment.IsPrivilegedProcess, "walls can be taken down one by one by root only: run the tests as root");
        using WallBench bench = new();
        ConfinementWall[] sets = [ConfinementWall.None, .. Walls, OfTheJail, .. Walls.Where(static wall => wall != ConfinementWall.Filter).Select(static wall => OfTheJail & ~wall)];
        // An act never beside itself: two that make the same name in the host's root would see each other, and take that for a wall.
        await Parallel.ForEachAsync(Enum.GetValues<ForbiddenAct>(), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (act, _) =>
        {
            foreach (ConfinementWall walls in act == ForbiddenAct.ForkBomb ? [.. sets, LimitOfUser] : sets)
            {
                ActOutcome outcome = await bench.AttemptAsync(act, walls);
                lock (_outcomes)
                {
                    _outcomes[(act, walls)] = outcome;
                }
            }
        });
        string folder = Path.Combine(Repository.Root, "artifacts");
        await File.WriteAllTextAsync(Path.Combine(folder, "walls.txt"), Table());
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private string Table()
    {
        StringBuilder text = new();
        text.Append("What each wall refuses alone (its error), what it lets through (-), and where the jail would let the act through without it (!).\n");
        text.Append("An act in brackets is refused without any wall on this host, so it judges none.\n\n");
        text.Append($"{"",-26}{"no wall",-14}{"whole jail",-12}{string.Concat(Walls.Select(static wall => $"{wall,-18}"))}\n");
        foreach (ForbiddenAct act in Enum.GetValues<ForbiddenAct>())
        {
            bool possible = IsPossible(act);
            text.Append($"{(possible ? $"{act}" : $"[{act}]"),-26}{this[act, ConfinementWall.None].How,-14}{this[act, OfTheJail].How,-12}");
            foreach (ConfinementWall wall in Walls)
            {
                ActOutcome alone = this[act, wall];
                bool needed = wall != ConfinementWall.Filter && this[act, OfTheJail].IsRefused && !this[act, OfTheJail & ~wall].IsRefused;
                text.Append($"{(alone.IsRefused ? alone.How : "-") + (needed ? "!" : ""),-18}");
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
