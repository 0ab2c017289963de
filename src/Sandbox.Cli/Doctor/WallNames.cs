using Sandbox.Proof;

namespace Sandbox.Cli.Doctor;

/// <summary>Walls in words.</summary>
internal static class WallNames
{
    private static readonly (ConfinementWall Wall, string Name)[] Names =
    [
        (ConfinementWall.EmptyRoot, "empty root"),
        (ConfinementWall.PidNamespace, "PID namespace"),
        (ConfinementWall.NetworkNamespace, "network namespace"),
        (ConfinementWall.IpcNamespace, "IPC namespace"),
        (ConfinementWall.ClosedFds, "closed fds"),
        (ConfinementWall.Limits, "limit"),
        (ConfinementWall.NoNewCode, "no new code"),
        (ConfinementWall.Seals, "seals"),
        (ConfinementWall.Identity, "own user"),
        (ConfinementWall.Capabilities, "no capability"),
        (ConfinementWall.UserNamespace, "user namespace"),
        (ConfinementWall.Landlock, "Landlock"),
        (ConfinementWall.Filter, "filter"),
    ];

    public static IEnumerable<string> Of(ConfinementWall walls) => Names.Where(pair => walls.HasFlag(pair.Wall)).Select(static pair => pair.Name);
}
