using System.Runtime.CompilerServices;
using Sandbox.Control;
using Sandbox.Control.Jail;
using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;

namespace Sandbox.Jail;

/// <summary>
/// From a process with the launcher's rights to one that can do nothing, and then the exe. Read it from top to bottom: the
/// order is the point. Runs before the .NET runtime exists: nothing here may allocate, throw or need a static constructor.
/// A step that fails ends the process; nothing is executed in half a jail.
/// </summary>
internal static class JailStage
{
    private const int Failed = 125;

    // SECBIT_NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off, NO_CAP_AMBIENT_RAISE and each one's lock: user 0 means nothing here.
    private const int SecureBits = 0xEF;

    private const ulong SetPcap = 1UL << 8; // bit CAP_SETPCAP: securebits and the bounding set
    private const ulong SysAdmin = 1UL << 21; // bit CAP_SYS_ADMIN: namespaces and mounts
    private const int HighestCapability = 63;
    private const uint NobodyElse = 0x3F; // umask 077: what we create is ours alone
    private const nint ProcFileSystem = 0x9FA0; // PROC_SUPER_MAGIC
    internal const int ReadDirectory = 0x10000; // O_DIRECTORY
    private const int WriteOnly = 1; // O_WRONLY

    private const int AllButUser = Namespaces.Mount | Namespaces.Pid | Namespaces.Network | Namespaces.Ipc | Namespaces.Uts | Namespaces.CGroup;

    /// <param name="isLabelled">It has been executed once more, by itself, for a label of its own.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Run(bool isLabelled)
    {
        Span<byte> buffer = stackalloc byte[JailSpecView.MaxBytes];
        nint length = Step(JailStep.ReadSpec, RawFile.ReadAt(JailFds.Spec, buffer, 0));
        if (!JailSpecView.TryDecode(buffer[..(int)length], out JailSpecView spec))
        {
            Fail(JailStep.ReadSpec, Errno.EINVAL);
        }

        if (spec.KeepsGroups)
        {
            GroupKeeper.Run(spec, isLabelled);
        }

        EnterGroups(spec);
        EnterNamespaces(spec);

        // A PID namespace begins with the next process, so the rest is done by a child. It becomes the launcher's own child,
        // which waits for it and kills it without anybody between them. This process only reports its number and ends. The
        // child announces itself too: one of them may be killed here, and the launcher must know the other's number.
        nint child = Step(JailStep.Clone, RawProcess.CloneAsSibling());
        if (child != 0)
        {
            _ = Report(new JailReport(null, (int)child)); // one of the two is enough, and the child's must succeed
            RawProcess.Exit(0);
        }

        // No wall before this one: if the launcher dies from here on, so does this process.
        Step(JailStep.DieWithLauncher, RawProcess.DieWithParent());
        Step(JailStep.Announce, Report(new JailReport(null, JailReport.Sender)));
        LabelExec(spec);
        // Away from the launcher's terminal and from signals to its process group.
        Step(JailStep.StartSession, RawProcess.StartSession());
        EnterEmptyRoot();
        LimitResources(spec);
        DropPrivileges(kept: 0, isPrivileged: true);
        RaiseSecondWall();
        CloseFds(spec);

        // Again, because a change of credentials can clear it; and the launcher may have died before it was set.
        Step(JailStep.DieWithLauncher, RawProcess.DieWithParent());
        if (RawFile.IsPeerGone(JailFds.Status))
        {
            Fail(JailStep.LauncherLives, Errno.EPIPE);
        }

        Step(JailStep.Execute, RawProcess.Execute(JailFds.Executable, spec.Arguments));
    }

    // First, so that all of this and of what follows counts; and the group is then the root of the cgroup namespace. "0" is whoever
    // writes it. The launcher opened these files: the kernel asks for its right, and before Linux 5.16 for ours, which is still the same.
    private static void EnterGroups(JailSpecView spec)
    {
        for (int index = 0; index < spec.GroupCount; index++)
        {
            Step(JailStep.EnterGroups, RawFile.Write(JailFds.FirstGroup + index, "0"u8));
            Step(JailStep.EnterGroups, RawFile.Close(JailFds.FirstGroup + index));
        }
    }

    private static void EnterNamespaces(JailSpecView spec)
    {
        Step(JailStep.DieWithLauncher, RawProcess.DieWithParent());
        if (spec.ChangesIdentity)
        {
            // Root: become the sandbox's own user first, so that the namespaces belong to it and not to root. The permitted
            // capabilities stay until the walls stand: a host may allow new namespaces to privileged processes only.
            Step(JailStep.KeepCapabilities, RawIdentity.KeepCapabilities());
            Step(JailStep.ClearGroups, RawIdentity.ClearGroups());
            Step(JailStep.SetGroup, RawIdentity.SetGroup(spec.GroupId));
            Step(JailStep.SetUser, RawIdentity.SetUser(spec.UserId));
            Step(JailStep.RaiseCapabilities, RawIdentity.SetCapabilities(SetPcap | SysAdmin));
            // The change of user gave our files in /proc to root, and the maps below are among them.
            Step(JailStep.OwnProcFiles, RawIdentity.SetDumpable(true));
        }

        uint user = RawIdentity.EffectiveUser;
        uint group = RawIdentity.EffectiveGroup;
        // One call: the user namespace comes first and owns the others. In it we have every capability, outside none.
        Step(JailStep.Unshare, RawProcess.Unshare(spec.UserNamespace ? AllButUser | Namespaces.User : AllButUser));
        if (spec.UserNamespace)
        {
            MapIdentity(user, group);
        }
    }

    // The one user and the one group keep their numbers; no other exists inside.
    private static void MapIdentity(uint user, uint group)
    {
        int proc = OpenProc();
        // Without this an unprivileged process may not map a group (it could drop one that forbids it something).
        WriteProc(proc, "self/setgroups\0"u8, "deny"u8, JailStep.DenySetGroups);
        Span<byte> line = stackalloc byte[DecimalText.MaxMapBytes];
        WriteProc(proc, "self/uid_map\0"u8, line[..DecimalText.WriteMap(line, user)], JailStep.MapUser);
        WriteProc(proc, "self/gid_map\0"u8, line[..DecimalText.WriteMap(line, group)], JailStep.MapGroup);
        Step(JailStep.OpenProc, RawFile.Close(proc));
    }

    // The only path that the jail ever opens: no part of it may be a link, and it must be the kernel's own.
    private static int OpenProc()
    {
        int proc = (int)Step(JailStep.OpenProc, RawFile.OpenWithoutLinks("/proc\0"u8, ReadDirectory));
        if (RawFile.FileSystemType(proc) != ProcFileSystem)
        {
            Fail(JailStep.OpenProc, Errno.ENODEV);
        }

        return proc;
    }

    // The exec, and nothing before it, changes the SELinux label: this process never relabels itself. While /proc is still there.
    internal static void LabelExec(JailSpecView spec)
    {
        if (!spec.Label.IsEmpty)
        {
            int proc = OpenProc();
            WriteProc(proc, "thread-self/attr/exec\0"u8, spec.Label, JailStep.LabelExec);
            Step(JailStep.OpenProc, RawFile.Close(proc));
        }
    }

    private static void WriteProc(int proc, ReadOnlySpan<byte> path, ReadOnlySpan<byte> text, JailStep step)
    {
        int file = (int)Step(step, RawFile.OpenBeneath(proc, path, WriteOnly));
        Step(step, RawFile.Write(file, text));
        Step(step, RawFile.Close(file));
    }

    // An empty root that nobody can write. No path is involved but "/", so there is none that somebody could prepare.
    private static void EnterEmptyRoot()
    {
        // First: what is mounted from here on must not appear outside.
        Step(JailStep.PrivateMounts, RawMount.MakeAllPrivate());
        int fileSystem = (int)Step(JailStep.CreateRoot, RawMount.OpenFileSystem("tmpfs\0"u8));
        Step(JailStep.CreateRoot, RawMount.Configure(fileSystem, "size\0"u8, "4k\0"u8));
        // One inode is the root directory itself: even a writable mount of it could hold no file.
        Step(JailStep.CreateRoot, RawMount.Configure(fileSystem, "nr_inodes\0"u8, "1\0"u8));
        Step(JailStep.CreateRoot, RawMount.Configure(fileSystem, "mode\0"u8, "0555\0"u8));
        Step(JailStep.CreateRoot, RawMount.Create(fileSystem));
        int root = (int)Step(JailStep.CreateRoot, RawMount.MountReadOnly(fileSystem));
        Step(JailStep.AttachRoot, RawMount.AttachOverRoot(root));
        Step(JailStep.AttachRoot, RawMount.ChangeDirectory(root));
        Step(JailStep.AttachRoot, RawFile.Close(root));
        Step(JailStep.AttachRoot, RawFile.Close(fileSystem));
        // The old root now lies on top of the new one, under the same name; taking it off leaves nothing of the host.
        Step(JailStep.PivotRoot, RawMount.PivotToCurrentDirectory());
        Step(JailStep.DetachOldRoot, RawMount.DetachCurrentDirectory());
        Step(JailStep.DetachOldRoot, RawMount.ChangeToRootDirectory());
    }

    internal static void LimitResources(JailSpecView spec)
    {
        // A core file would hold guest memory.
        Limit(ResourceLimits.Core, 0);
        Limit(ResourceLimits.OpenFiles, spec.MaxOpenFiles);
        Limit(ResourceLimits.Processes, spec.MaxProcesses);
        Limit(ResourceLimits.LockedMemory, spec.MaxLockedBytes);
        Limit(ResourceLimits.FileSize, spec.MaxFileBytes);
        Limit(ResourceLimits.AddressSpace, spec.MaxAddressSpaceBytes);
        Step(JailStep.LimitResources, RawProcess.SetUmask(NobodyElse));
        if (spec.SmallPages)
        {
            _ = RawProcess.UseSmallPages(); // no wall: without it the process is as safe
        }
    }

    private static void Limit(int resource, ulong limit)
    {
        if (limit != ResourceLimits.Unlimited)
        {
            Step(JailStep.LimitResources, RawProcess.SetLimit(resource, limit));
        }
    }

    // Securebits and bounding set need CAP_SETPCAP: so they go before the capabilities. Who has none needs neither.
    internal static void DropPrivileges(ulong kept, bool isPrivileged)
    {
        if (isPrivileged)
        {
            Step(JailStep.SecureBits, RawIdentity.SetSecureBits(SecureBits));
        }

        for (int capability = 0; capability <= HighestCapability && isPrivileged; capability++)
        {
            nint result = RawIdentity.DropFromBoundingSet(capability);
            if (result == -(nint)Errno.EINVAL && capability != 0)
            {
                break; // the kernel knows no more of them
            }

            Step(JailStep.BoundingSet, result);
        }

        Step(JailStep.AmbientSet, RawIdentity.ClearAmbientSet());
        Step(JailStep.DropCapabilities, RawIdentity.SetCapabilities(kept));
        Step(JailStep.NoNewPrivileges, RawIdentity.SetNoNewPrivileges());
        nint memory = RawIdentity.RefuseExecutableMemory();
        if (memory != -(nint)Errno.EINVAL) // before Linux 6.3 there is no such promise
        {
            Step(JailStep.RefuseExecutableMemory, memory);
        }

        // Until the exec, which makes a process dumpable again; the exe repeats it as its first act.
        Step(JailStep.OwnProcFiles, RawIdentity.SetDumpable(false));
    }

    // Landlock: what namespaces and modes refuse is refused once more, by another part of the kernel, and for good. It needs
    // no_new_privs and forbids mounts, so it comes after both. Files that are open already keep what they could do.
    private static void RaiseSecondWall()
    {
        nint version = RawLandlock.Version();
        if (version == -(nint)Errno.ENOSYS || version == -(nint)Errno.EOPNOTSUPP)
        {
            return; // a kernel without it, or that was started without it: `sandbox doctor` says so
        }

        int abi = (int)Step(JailStep.SecondWall, version);
        int rules = (int)Step(JailStep.SecondWall, RawLandlock.CreateRuleset(LandlockRights.Of(abi)));
        // An exec opens its file anew, also when it is given by fd, and that is judged. This one file, then, and nothing else.
        Step(JailStep.SecondWall, RawLandlock.AllowFile(rules, JailFds.Executable, LandlockRights.ExecuteAndRead));
        Step(JailStep.SecondWall, RawLandlock.RestrictSelf(rules, abi));
        Step(JailStep.SecondWall, RawFile.Close(rules));
    }

    // The launcher gave exactly these; this holds should it ever give more. The jail's own go at the exec.
    private static void CloseFds(JailSpecView spec)
    {
        int first = 0;
        for (int fd = 0; fd <= JailFds.FirstOfJail; fd++)
        {
            if (fd == JailFds.FirstOfJail || spec.Inherits(fd))
            {
                if (first < fd)
                {
                    Step(JailStep.CloseFds, RawFile.CloseRange(first, fd - 1));
                }

                first = fd + 1;
            }
        }

        Step(JailStep.CloseFds, RawFile.CloseFrom(JailFds.Executable + 1, atExec: false));
        Step(JailStep.CloseFds, RawFile.CloseFrom(JailFds.FirstOfJail, atExec: true));
    }

    internal static nint Step(JailStep step, nint result)
    {
        if (result < 0)
        {
            Fail(step, (Errno)(int)-result);
        }

        return result;
    }

    internal static void Fail(JailStep step, Errno errno)
    {
        _ = Report(new JailReport(step, (int)errno));
        // For somebody who runs it by hand; the launcher reads the report.
        Span<byte> number = stackalloc byte[DecimalText.MaxBytes];
        _ = RawFile.Write(2, "sandbox-jail: step "u8);
        _ = RawFile.Write(2, number[..DecimalText.Write(number, (uint)step)]);
        _ = RawFile.Write(2, " failed, error "u8);
        _ = RawFile.Write(2, number[..DecimalText.Write(number, (uint)errno)]);
        _ = RawFile.Write(2, "; it is started by sandbox only\n"u8);
        RawProcess.Exit(Failed);
    }

    internal static nint Report(JailReport report)
    {
        Span<byte> message = stackalloc byte[JailReport.Bytes];
        report.Encode(message);
        return RawFile.Write(JailFds.Status, message);
    }
}
