using Sandbox.Control.Jail;
using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;

namespace Sandbox.Jail;

/// <summary>
/// The other thing that this exe can be: a process that makes a sandbox's control groups, sleeps until its launcher is gone, and removes them. A
/// control group is a folder and dies with nobody: somebody who outlives a killed launcher must take it away. It makes them too, so that there is
/// no moment at which a group exists and its keeper does not. No byte of a guest or of another process ever reaches it; it holds the folders
/// that hold the groups and a pipe whose other end only the launcher has.
/// </summary>
internal static class GroupKeeper
{
    private const int Lifeline = 0; // end of file: the launcher is gone, or wants the groups gone
    private const ulong OverrideModes = 1UL << 1; // bit CAP_DAC_OVERRIDE: the folder at the top of a hierarchy has no mode for writing
    private const uint FolderMode = 0x1ED; // 0755
    private const int WriteOnly = 1; // O_WRONLY
    private const int FirstKill = JailFds.FirstGroup + JailFds.MaxGroups; // cgroup.kill of each, where there is one
    private const long FirstPauseNanoseconds = 500_000;
    private const long LongestPauseNanoseconds = 100_000_000;
    private const int Patience = 600; // pauses, a minute in all: a process that the kernel cannot end holds its group

    internal static void Run(JailSpecView spec)
    {
        // A signal to a whole process group, or a terminal that closes, must not end it before its work is done.
        JailStage.Step(JailStep.BlockSignals, RawProcess.BlockSignals());
        JailStage.Step(JailStep.StartSession, RawProcess.StartSession());
        if (!IsName(spec.Arguments) || spec.GroupCount == 0)
        {
            JailStage.Fail(JailStep.ReadSpec, Errno.EINVAL);
        }

        JailStage.LimitResources(spec);
        bool root = RawIdentity.EffectiveUser == 0;
        JailStage.DropPrivileges(root ? OverrideModes : 0, isPrivileged: root);
        MakeGroups(spec);
        RaiseWall(spec);
        _ = JailStage.Report(new JailReport(null, JailReport.Sender)); // a launcher that is gone is noticed below
        _ = RawFile.CloseRange(JailFds.Status, JailFds.Executable);

        Span<byte> nothing = stackalloc byte[1];
        while (RawFile.Read(Lifeline, nothing) > 0)
        {
        }

        RemoveGroups(spec, Patience);
        RawProcess.Exit(0);
    }

    // Never one that is there already: somebody else made it, whoever that is.
    private static void MakeGroups(JailSpecView spec)
    {
        for (int index = 0; index < spec.GroupCount; index++)
        {
            nint made = RawFile.MakeDirectory(JailFds.FirstGroup + index, spec.Arguments, FolderMode);
            if (made < 0)
            {
                GiveUp(spec, index, made);
            }
        }

        for (int index = 0; index < spec.GroupCount; index++)
        {
            // Version 2 since Linux 5.14. Elsewhere the processes end with their launcher, by their parent-death signal.
            nint group = RawFile.OpenBeneath(JailFds.FirstGroup + index, spec.Arguments, JailStage.ReadDirectory);
            nint kill = group < 0 ? group : RawFile.OpenBeneath((int)group, "cgroup.kill\0"u8, WriteOnly);
            if (kill >= 0)
            {
                _ = RawFile.Duplicate((int)kill, FirstKill + index);
                _ = RawFile.Close((int)kill);
            }

            _ = RawFile.Close((int)group);
        }
    }

    // Nothing but removing folders below those that hold the groups.
    private static void RaiseWall(JailSpecView spec)
    {
        nint version = RawLandlock.Version();
        if (version == -(nint)Errno.ENOSYS || version == -(nint)Errno.EOPNOTSUPP)
        {
            return;
        }

        nint rules = version < 0 ? version : RawLandlock.CreateRuleset(LandlockRights.Of((int)version));
        nint result = rules;
        for (int index = 0; index < spec.GroupCount && result >= 0; index++)
        {
            result = RawLandlock.AllowFile((int)rules, JailFds.FirstGroup + index, LandlockRights.RemoveFolders);
        }

        result = result < 0 ? result : RawLandlock.RestrictSelf((int)rules, (int)version);
        if (result < 0)
        {
            GiveUp(spec, spec.GroupCount, result);
        }

        _ = RawFile.Close((int)rules);
    }

    private static void GiveUp(JailSpecView spec, int made, nint error)
    {
        for (int index = 0; index < made; index++)
        {
            _ = RawFile.RemoveDirectory(JailFds.FirstGroup + index, spec.Arguments);
        }

        JailStage.Fail(JailStep.MakeGroups, (Errno)(int)-error);
    }

    private static void RemoveGroups(JailSpecView spec, int patience)
    {
        for (int index = 0; index < spec.GroupCount; index++)
        {
            _ = RawFile.Write(FirstKill + index, "1"u8);
        }

        long pause = FirstPauseNanoseconds;
        for (int index = 0; index < spec.GroupCount; index++)
        {
            // EBUSY while a process in it is still ending.
            while (!IsRemoved(index, spec) && patience > 0)
            {
                RawProcess.Sleep(pause);
                pause = pause < LongestPauseNanoseconds ? 2 * pause : LongestPauseNanoseconds;
                patience--;
            }
        }
    }

    private static bool IsRemoved(int index, JailSpecView spec)
    {
        nint result = RawFile.RemoveDirectory(JailFds.FirstGroup + index, spec.Arguments);
        return result >= 0 || result == -(nint)Errno.ENOENT;
    }

    // One part of a path that leads nowhere else.
    private static bool IsName(ReadOnlySpan<byte> name)
    {
        for (int index = 0; index < name.Length - 1; index++)
        {
            if (name[index] is 0 or (byte)'/' or (byte)'.')
            {
                return false;
            }
        }

        return name.Length > 1;
    }
}
