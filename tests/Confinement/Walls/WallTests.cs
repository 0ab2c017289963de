using Sandbox.Control.Proof;
using Sandbox.Proof;

namespace Sandbox.Confinement.Tests.Walls;

/// <summary>No wall is decoration: each act is possible where no wall stands, and refused behind each wall that is said to refuse it, alone.</summary>
[Collection("processes")]
public sealed class WallTests(WallMatrix matrix) : IClassFixture<WallMatrix>
{
    /// <summary>Refused also by a host without walls: it lacks the part of the kernel, or the argument is wrong by intent.</summary>
    private static readonly ForbiddenAct[] MayFailAnyway =
    [
        ForbiddenAct.OpenInitMemory, ForbiddenAct.OpenKernelMemory, ForbiddenAct.OpenKvm, ForbiddenAct.PivotRoot, ForbiddenAct.CryptoSocket, ForbiddenAct.VsockSocket,
        ForbiddenAct.LoadModule, ForbiddenAct.LoadKernel, ForbiddenAct.Reboot, ForbiddenAct.SwapOn, ForbiddenAct.PortAccess, ForbiddenAct.Accounting, ForbiddenAct.TakeTerminal,
        ForbiddenAct.MakeVirtualMachine, ForbiddenAct.ForeignKvmRequest, ForbiddenAct.MakeSecretMemory, ForbiddenAct.UserFaults, ForbiddenAct.IoRing, ForbiddenAct.EnterAsX32, ForbiddenAct.EnterAs32Bit,
        ForbiddenAct.RealTimeScheduling, ForbiddenAct.DetachMount,
    ];

    /// <summary>Which user may do it is the administrator's choice: the mode of the device, or a sysctl.</summary>
    private static readonly ForbiddenAct[] DependsOnTheHost =
    [
        ForbiddenAct.OpenKvm, ForbiddenAct.ReadKernelLog, ForbiddenAct.FakeTerminalInput, ForbiddenAct.BpfMap, ForbiddenAct.PerformanceEvents, ForbiddenAct.UserFaults, ForbiddenAct.IoRing,
        ForbiddenAct.NewUserNamespace, ForbiddenAct.ForkIntoUserNamespace, ForbiddenAct.LockMemory, ForbiddenAct.LockAllMemory,
    ];

    public static TheoryData<ConfinementWall> Walls { get; } = [.. WallMatrix.Walls];

    [Fact]
    public void Acts_WithoutAnyWall_AreDone()
    {
        AssertNone(
            from act in Enum.GetValues<ForbiddenAct>()
            where !matrix.IsPossible(act) && !MayFailAnyway.Contains(act)
            select $"{act}: {matrix[act, ConfinementWall.None].How}");
    }

    [Fact]
    public void Acts_InEveryCell_WereAttempted()
    {
        AssertNone(
            from act in Enum.GetValues<ForbiddenAct>()
            from wall in (ConfinementWall[])[ConfinementWall.None, .. WallMatrix.Walls, WallMatrix.OfTheJail]
            where matrix[act, wall].Refusal == ActRefusal.NotAttempted
            select $"{act} behind {wall}: {matrix[act, wall].How}");
    }

    [Theory]
    [MemberData(nameof(Walls))]
    public void Wall_Alone_RefusesSomethingThatIsPossibleWithoutIt(ConfinementWall wall)
    {
        Assert.Contains(Enum.GetValues<ForbiddenAct>(), act => matrix.IsPossible(act) && matrix[act, wall].IsRefused);
    }

    [Fact]
    public void Walls_OfTheCatalog_RefuseTheirActsAlone()
    {
        AssertNone(
            from act in ActCatalog.All
            from wall in WallMatrix.Walls
            where act.Walls.HasFlag(wall)
            let alone = matrix[act.Act, act.Act == ForbiddenAct.ForkBomb ? WallMatrix.LimitOfUser : wall]
            where !alone.IsRefused
            select $"{act.Act} was not refused by {wall}: {alone.How}");
    }

    [Fact]
    public void Catalog_OfActs_NamesEveryWallThatRefuses()
    {
        AssertNone(
            from act in ActCatalog.All
            where matrix.IsPossible(act.Act) && !DependsOnTheHost.Contains(act.Act)
            from wall in WallMatrix.Walls
            where wall != ConfinementWall.Filter && matrix[act.Act, wall].IsRefused && !act.Walls.HasFlag(wall)
            select $"{act.Act} is also refused by {wall}: {matrix[act.Act, wall].How}");
    }

    [Fact]
    public void Filter_Alone_RefusesEveryActThatItIsAskedAbout()
    {
        AssertNone(
            from act in ActCatalog.All
            where !matrix[act.Act, ConfinementWall.Filter].IsRefused && act.Walls == ConfinementWall.None
            select $"{act.Act}: neither the filter nor a wall of the jail refuses it");
    }

    private static void AssertNone(IEnumerable<string> violations)
    {
        string[] found = [.. violations];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }
}
