using Sandbox.Proof;

namespace Sandbox.Cli.Doctor;

/// <summary>Walls in words.</summary>
internal static class WallNames
{
    private static readonly WallName[] Names =
    [
        new(ConfinementWall.EmptyRoot, "empty root"),
        new(ConfinementWall.PidNamespace, "PID namespace"),
        new(ConfinementWall.NetworkNamespace, "network namespace"),
        new(ConfinementWall.IpcNamespace, "IPC namespace"),
        new(ConfinementWall.ClosedFds, "closed fds"),
        new(ConfinementWall.Limits, "limit"),
        new(ConfinementWall.NoNewCode, "no new code"),
        new(ConfinementWall.Seals, "seals"),
        new(ConfinementWall.Identity, "own user"),
        new(ConfinementWall.Capabilities, "no capability"),
        new(ConfinementWall.UserNamespace, "user namespace"),
        new(ConfinementWall.Landlock, "Landlock"),
        new(ConfinementWall.Filter, "filter"),
    ];

    public static List<string> Of(ConfinementWall walls)
    {
        List<string> names = [];
        foreach (WallName wall in Names)
        {
            if (walls.HasFlag(wall.Wall))
            {
                names.Add(wall.Name);
            }
        }

        return names;
    }

    // No tuple: the comparison of a generic pair brings the runtime's whole type loader into the exe.
    private sealed class WallName(ConfinementWall wall, string name)
    {
        public ConfinementWall Wall { get; } = wall;

        public string Name { get; } = name;
    }
}
