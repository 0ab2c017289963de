using System.Globalization;
using System.Text;
using Sandbox.Control.Jail;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>A start whose launcher, the tracer itself, is killed at one of the stage's system calls.</summary>
/// <param name="LauncherDied">False when there was no call of that number.</param>
/// <param name="NothingLeft">Within ten seconds every process of the jail was gone.</param>
/// <param name="HasSpoken">Whether the program behind the jail ran.</param>
internal sealed record OrphanedStart(bool LauncherDied, bool NothingLeft, bool HasSpoken)
{
    internal const int Launchers = 9;
    internal const int Gate = 10;
    private const int PatienceMilliseconds = 10_000;

    internal static OrphanedStart Run(int index, JailSpec spec)
    {
        using FdHandle tracer = FileOpen.Read(CProgram.Tracer);
        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        using FdHandle probe = FileOpen.Read(CProgram.Probe);
        using FdHandle specFile = MemFd.Create("spec");
        Assert.Equal(0, FdIo.WriteAll(specFile.Number, spec.Encode()));
        (FdHandle held, FdHandle hold) = Pipe.Create();
        (FdHandle output, FdHandle childOutput) = Pipe.Create();
        (FdHandle reports, FdHandle childReports) = CredentialSocket.CreatePair();
        (FdHandle gate, FdHandle opener) = Pipe.Create();
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        using (hold) // stays open: a probe that runs waits for its end
        using (output)
        {
            using ChildProcess launcher = Spawner.Spawn(new SpawnSpec
            {
                Executable = tracer,
                Arguments = ["tracer", "launch", "die", index.ToString(CultureInfo.InvariantCulture)],
                Fds =
                [
                    new(0, held), new(1, childOutput), new(2, childOutput), new(5, childOutput), new(TracedStart.Stage, jail), new(TracedStart.Trace, nothing), new(Launchers, reports), new(Gate, gate),
                    new(JailFds.Status, childReports), new(JailFds.Spec, specFile), new(JailFds.Executable, probe),
                ],
            });
            foreach (FdHandle lent in (FdHandle[])[held, childOutput, reports, childReports, gate, opener])
            {
                lent.Dispose();
            }

            _ = Poll.Wait(launcher.PidFd.Number, PollEvents.Readable, PatienceMilliseconds / 10, out PollEvents ended);
            if (ended == 0)
            {
                // It waits for the probe that it started: no call had that number.
                _ = launcher.Kill(9);
            }

            _ = launcher.Wait();
            // Every process of the jail holds this pipe.
            StringBuilder said = new();
            while (Poll.Wait(output.Number, PollEvents.Readable, PatienceMilliseconds, out _) > 0)
            {
                byte[] buffer = new byte[4096];
                int count = FdIo.Read(output.Number, buffer);
                if (count <= 0)
                {
                    return new OrphanedStart(ended != 0, NothingLeft: true, IsProbe(said));
                }

                said.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }

            return new OrphanedStart(ended != 0, NothingLeft: false, IsProbe(said));
        }
    }

    // The stage, too, says something there when it gives up.
    private static bool IsProbe(StringBuilder said) => said.ToString().Contains("argument0", StringComparison.Ordinal);
}
