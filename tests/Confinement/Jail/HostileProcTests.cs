using Sandbox.Control.Jail;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>
/// The one path that the jail opens is /proc. Somebody has prepared it (as CVE-2026-1386 did to another jailer): each time nothing is executed. The
/// jail's root, the other place where a jailer touches paths, is made and attached by fd: no name of it exists.
/// </summary>
[Collection("processes")]
public sealed class HostileProcTests
{
    // The root of a new mount namespace is a file system with only the jail in it, and what each case puts at /proc.
    private const string EmptyRoot =
        "set -e; mount -t tmpfs none $work; cp $jail $work/jail; mkdir $work/old $work/real $work/proc; cd $work; ";

    private const string Enter = "pivot_root . old; cd /; exec /jail";

    [Fact]
    public void Proc_ThatIsReal_IsTaken()
    {
        // The witness: in the same surroundings, with nothing prepared, the program runs.
        Assert.Null(Run(EmptyRoot + "mount -t proc proc proc; " + Enter).FailedStep);
    }

    [Theory]
    [InlineData("mount -t proc proc real; rmdir proc; ln -s real proc; ", Errno.ELOOP)] // the real one, through a link
    [InlineData("rmdir proc; ln -s /old/proc proc; ", Errno.ELOOP)]
    [InlineData("rmdir proc; mkfifo proc; ", Errno.ENOTDIR)] // nor does it wait for a writer
    [InlineData("rmdir proc; ", Errno.ENOENT)]
    [InlineData("mkdir -p proc/self; touch proc/self/setgroups proc/self/uid_map proc/self/gid_map; ", Errno.ENODEV)] // files that take any line
    [InlineData("mount --bind /etc proc; ", Errno.ENODEV)]
    public void Proc_ThatIsNot_IsRefused(string prepare, Errno errno) =>
        Assert.Equal(new JailReport(JailStep.OpenProc, (int)errno), Run(EmptyRoot + prepare + Enter));

    [Theory]
    [InlineData("setgroups", JailStep.DenySetGroups)]
    [InlineData("uid_map", JailStep.MapUser)]
    [InlineData("gid_map", JailStep.MapGroup)]
    public void File_MountedOverOneOfProc_IsRefused(string name, JailStep step)
    {
        // The shell has the number that the stage will have.
        Assert.Equal(
            new JailReport(step, (int)Errno.EXDEV),
            Run(EmptyRoot + $"mount -t proc proc proc; touch taken; mount --bind taken proc/$$/{name}; " + Enter));
    }

    [Fact]
    public void Link_InsideProc_IsNotFollowedOut()
    {
        // "self" is a link of the kernel's own; another file system over it is not.
        Assert.Equal(
            new JailReport(JailStep.DenySetGroups, (int)Errno.EXDEV),
            Run(EmptyRoot + "mount -t proc proc proc; mkdir taken; touch taken/setgroups taken/uid_map taken/gid_map; mount --bind taken proc/$$; " + Enter));
    }

    /// <summary>The stage's first word but its announcement: a failed step, or the number of the process that goes on.</summary>
    private static JailReport Run(string script)
    {
        string work = Directory.CreateTempSubdirectory("hostile-").FullName;
        try
        {
            string prelude = $"work={work}; jail={Repository.Exe("sandbox-jail")}; PATH=/usr/sbin:/usr/bin:/sbin:/bin; ";
            // An ordinary user gets the mounts in a user namespace of his own, where he is root.
            string[] arguments = [.. Environment.IsPrivilegedProcess ? (string[])[] : ["--map-root-user"], "--mount", "/bin/sh", "-c", prelude + script];
            using WrappedJail started = WrappedJail.Start("/usr/bin/unshare", arguments, JailedProbe.Spec(Environment.IsPrivilegedProcess ? 3_000_022u : null));
            JailReport report = started.ReadReport();
            if (report.FailedStep is null)
            {
                using ChildProcess child = ChildProcess.Adopt(report.Value);
                started.Hold.Dispose();
                Assert.Equal(42, child.Wait().Code);
            }
            else
            {
                Assert.Equal(125, started.Wrapper.Wait().Code);
            }

            return report;
        }
        finally
        {
            Directory.Delete(work);
        }
    }
}
