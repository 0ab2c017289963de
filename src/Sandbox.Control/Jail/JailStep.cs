namespace Sandbox.Control.Jail;

/// <summary>The steps of the jail stage in their order. The numbers travel in a <see cref="JailReport"/>.</summary>
public enum JailStep : uint
{
    ReadSpec = 1,
    EnterGroups = 36,
    DieWithLauncher = 2,
    KeepCapabilities = 3,
    ClearGroups = 4,
    SetGroup = 5,
    SetUser = 6,
    RaiseCapabilities = 7,
    OwnProcFiles = 8,
    Unshare = 9,
    OpenProc = 10,
    DenySetGroups = 11,
    MapUser = 12,
    MapGroup = 13,
    Clone = 14,
    Announce = 32,
    LabelExec = 33,
    StartSession = 15,
    PrivateMounts = 16,
    CreateRoot = 17,
    AttachRoot = 18,
    PivotRoot = 19,
    DetachOldRoot = 20,
    LimitResources = 21,
    SecureBits = 22,
    BoundingSet = 23,
    AmbientSet = 24,
    DropCapabilities = 25,
    NoNewPrivileges = 26,
    RefuseExecutableMemory = 27,
    SecondWall = 31,
    CloseFds = 28,
    LauncherLives = 29,
    Execute = 30,

    // Of the keeper of control groups.
    BlockSignals = 34,
    MakeGroups = 35,
}
