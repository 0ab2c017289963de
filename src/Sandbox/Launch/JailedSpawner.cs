using Sandbox.Control.Jail;
using Sandbox.Labels;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Starts an exe in its own jail (sandbox-jail). The result is a direct child of this process; no other process stays.</summary>
internal static class JailedSpawner
{
    private const int Killed = 9; // SIGKILL

    /// <param name="jail">The opened sandbox-jail, borrowed.</param>
    /// <param name="executable">The opened static exe, borrowed. The jail's user must be able to execute it, not to find it.</param>
    /// <param name="fds">The exe's complete table of fds, borrowed; each below <see cref="JailFds.FirstOfJail"/>.</param>
    /// <param name="spec">The walls. Its list of fds must be that of <paramref name="fds"/>.</param>
    /// <param name="groups">cgroup.procs of the control groups to be born in, borrowed; as many as the specification says.</param>
    /// <returns>When the exe has been executed.</returns>
    /// <exception cref="JailException">A step of the jail failed.</exception>
    /// <exception cref="LinuxException">The jail could not be started.</exception>
    public static async Task<ChildProcess> StartAsync(FdHandle jail, FdHandle executable, IReadOnlyList<InheritedFd> fds, JailSpec spec, IReadOnlyList<FdHandle>? groups = null)
    {
        using FdHandle specFile = MemFd.Create("jail-spec");
        LinuxException.Check(FdIo.WriteAll(specFile.Number, spec.Encode()), "write jail spec");
        (FdHandle reports, FdHandle childReports) = CredentialSocket.CreatePair();
        using (reports)
        {
            ChildProcess stage;
            using (childReports)
            {
                stage = await Spawner.SpawnAsync(new SpawnSpec
                {
                    Executable = jail,
                    Arguments = ["sandbox-jail"],
                    Fds = [.. fds, .. (groups ?? []).Select(static (group, index) => new InheritedFd(JailFds.FirstGroup + index, group)), new(JailFds.Status, childReports), new(JailFds.Spec, specFile), new(JailFds.Executable, executable)],
                }).ConfigureAwait(false);
            }

            using (stage)
            {
                // A few milliseconds of blocking reads, not on the caller's thread.
                return await Task.Run(() => Finish(spec, stage, reports)).ConfigureAwait(false);
            }
        }
    }

    // Two say which process goes on: the stage, and that process itself, whose number the kernel then tells. Either may be killed before it could, and
    // still no child is left that nobody knows. The socket ends when that process executes the exe.
    private static ChildProcess Finish(JailSpec spec, ChildProcess stage, FdHandle reports)
    {
        string name = spec.Arguments[0];
        ChildProcess? child = null;
        JailReport? failure = null;
        Span<byte> message = stackalloc byte[JailReport.Bytes];
        while (LinuxException.Check(CredentialSocket.Receive(reports.Number, message, out int sender), "read jail report") == JailReport.Bytes)
        {
            JailReport report = JailReport.Decode(message);
            if (report.FailedStep is not null)
            {
                failure = report;
            }
            else
            {
                child ??= ChildProcess.Adopt(report.Value == JailReport.Sender ? sender : report.Value);
            }
        }

        ExitStatus stageStatus = stage.Wait();
        // The kernel is asked, not the process: an exec that the policy let pass without its new label is no exec for us.
        if (child is not null && failure is null && (spec.Label is null || LabelsInUse.Becomes(child.Pid, spec.Label)))
        {
            return child;
        }

        if (child is not null)
        {
            using (child)
            {
                _ = child.Kill(Killed);
                _ = child.Wait();
            }
        }

        throw failure is { FailedStep: JailStep step } failed
            ? new JailException(name, step, (Errno)failed.Value)
            : child is not null ? new LinuxException($"{name} did not get the SELinux label {spec.Label}", Errno.EPROTO)
            : new LinuxException($"sandbox-jail of {name} ended with {stageStatus} and said nothing", Errno.EPROTO);
    }
}
