using Sandbox.Control.Jail;
using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;

namespace Sandbox.Jail;

/// <summary>
/// The other thing that this exe can be: a process that makes a sandbox's control groups, sleeps until its launcher is gone, and removes them. A
/// control group is a folder and dies with nobody: somebody who outlives a killed launcher must take it away. It makes them too, so that there is
/// no moment at which a group exists and its keeper does not. No byte of a guest or of another process ever reaches it; asleep, it holds the folders
/// that hold the groups and a pipe whose other end only the launcher has, and its filter (seccomp/jail-keeper.policy) leaves it seven calls.
/// </summary>
internal static class GroupKeeper
{
    private const int Lifeline = 0; // end of file: the launcher is gone, or wants the groups gone
    private const ulong OverrideModes = 1UL << 1; // bit CAP_DAC_OVERRIDE
    private const uint FolderMode = 0x1ED; // 0755
    private const int WriteOnly = 1; // O_WRONLY
    private const int FirstKill = JailFds.FirstGroup + JailFds.MaxGroups; // cgroup.kill of each, where there is one
    private const long FirstPauseNanoseconds = 500_000;
    private const long LongestPauseNanoseconds = 100_000_000;
    private const int Patience = 600; // pauses, a minute in all: a process that the kernel cannot end holds its group

    internal static void Run(JailSpecView spec, bool isLabelled)
    {
        if (!spec.Label.IsEmpty && !isLabelled)
        {
            // A domain of its own: the stage's has rights that this process has no use for in its long life.
            JailStage.LabelExec(spec);
            JailStage.Step(JailStep.Execute, RawProcess.Execute(JailFds.Executable, "sandbox-keeper\0labelled\0"u8));
        }

        // A signal to a whole process group, or a terminal that closes, must not end it before its work is done.
        JailStage.Step(JailStep.BlockSignals, RawProcess.BlockSignals());
        JailStage.Step(JailStep.StartSession, RawProcess.StartSession());
        if (!IsName(spec.Arguments) || spec.GroupCount == 0)
        {
            JailStage.Fail(JailStep.ReadSpec, Errno.EINVAL);
        }

        JailStage.LimitResources(spec);
        // Of root's capabilities one, and for now: whether a process may enter a group is judged by the modes of its files, as it will be for the
        // processes of the microVM, which have all of root's rights at that moment.
        bool root = RawIdentity.EffectiveUser == 0;
        JailStage.DropPrivileges(root ? OverrideModes : 0, isPrivileged: root);
        MakeGroups(spec);
        TryToEnter(spec);
        OpenKillSwitches(spec);
        RaiseWall(spec);
        // The last capability goes too, but where a folder has no mode by which its owner may remove something from it (the topmost of a tree has not).
        Must(spec, JailStep.DropCapabilities, RawIdentity.SetCapabilities(root && spec.OverridesModes ? OverrideModes : 0));
        Must(spec, JailStep.CloseFds, RawFile.CloseRange(Lifeline + 1, JailFds.FirstGroup - 1));
        Must(spec, JailStep.CloseFds, RawFile.CloseFrom(JailFds.Spec, atExec: false));
        Must(spec, JailStep.InstallFilter, RawFilter.Install(KeeperFilters.Keeper, allThreads: false));
        _ = JailStage.Report(new JailReport(null, JailReport.Sender)); // a launcher that is gone is noticed below
        _ = RawFile.Close(JailFds.Status);

        Span<byte> nothing = stackalloc byte[1];
        while (RawFile.Read(Lifeline, nothing) > 0)
        {
        }

        RemoveGroups(spec, spec.GroupCount);
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
                GiveUp(spec, JailStep.MakeGroups, index, (int)-made);
            }
        }
    }

    // A group can often be made and not entered (cgroups(7), delegation: the common ancestor must be ours too). Better known now than when the microVM
    // is half started. It is tried by somebody who then ends: this process must stay outside, or it could not remove the group.
    private static void TryToEnter(JailSpecView spec)
    {
        nint child = RawProcess.CloneAsChild();
        Must(spec, JailStep.Clone, child);
        if (child == 0)
        {
            RawProcess.Exit(-(int)EnterGroups(spec));
        }

        nint status = RawProcess.WaitFor(child);
        Must(spec, JailStep.EnterGroups, status);
        if (status != 0)
        {
            GiveUp(spec, JailStep.EnterGroups, spec.GroupCount, (status & 0x7F) == 0 ? (int)(status >> 8) : (int)Errno.EPROTO);
        }
    }

    // 0 or the negated error number, which are all below 256.
    private static nint EnterGroups(JailSpecView spec)
    {
        nint result = 0;
        for (int index = 0; index < spec.GroupCount && result >= 0; index++)
        {
            result = OpenInGroup(spec, index, "cgroup.procs\0"u8);
            result = result < 0 ? result : RawFile.Write((int)result, "0"u8);
        }

        return result < 0 ? result : 0;
    }

    // Version 2 since Linux 5.14. Elsewhere the processes end with their launcher, by their parent-death signal.
    private static void OpenKillSwitches(JailSpecView spec)
    {
        for (int index = 0; index < spec.GroupCount; index++)
        {
            nint kill = OpenInGroup(spec, index, "cgroup.kill\0"u8);
            if (kill >= 0)
            {
                Must(spec, JailStep.MakeGroups, RawFile.Duplicate((int)kill, FirstKill + index));
                _ = RawFile.Close((int)kill);
            }
        }
    }

    private static nint OpenInGroup(JailSpecView spec, int index, ReadOnlySpan<byte> name)
    {
        nint group = RawFile.OpenBeneath(JailFds.FirstGroup + index, spec.Arguments, JailStage.ReadDirectory);
        nint file = group < 0 ? group : RawFile.OpenBeneath((int)group, name, WriteOnly);
        _ = RawFile.Close((int)group);
        return file;
    }

    // Nothing but removing folders below those that hold the groups.
    private static void RaiseWall(JailSpecView spec)
    {
        nint version = RawLandlock.Version();
        if (version == -(nint)Errno.ENOSYS || version == -(nint)Errno.EOPNOTSUPP)
        {
            return;
        }

        Must(spec, JailStep.SecondWall, version);
        nint rules = RawLandlock.CreateRuleset(LandlockRights.Of((int)version));
        Must(spec, JailStep.SecondWall, rules);
        for (int index = 0; index < spec.GroupCount; index++)
        {
            Must(spec, JailStep.SecondWall, RawLandlock.AllowFile((int)rules, JailFds.FirstGroup + index, LandlockRights.RemoveFolders));
        }

        Must(spec, JailStep.SecondWall, RawLandlock.RestrictSelf((int)rules, (int)version));
        Must(spec, JailStep.SecondWall, RawFile.Close((int)rules));
    }

    // As JailStage.Step, for when there are groups.
    private static void Must(JailSpecView spec, JailStep step, nint result)
    {
        if (result < 0)
        {
            GiveUp(spec, step, spec.GroupCount, (int)-result);
        }
    }

    private static void GiveUp(JailSpecView spec, JailStep step, int made, int error)
    {
        RemoveGroups(spec, made);
        JailStage.Fail(step, (Errno)error);
    }

    private static void RemoveGroups(JailSpecView spec, int count)
    {
        for (int index = 0; index < count; index++)
        {
            _ = RawFile.Write(FirstKill + index, "1"u8);
        }

        int patience = Patience;
        long pause = FirstPauseNanoseconds;
        for (int index = 0; index < count; index++)
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
