using System.Text;
using Sandbox.Control.Jail;
using Sandbox.Linux;
using Xunit;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The jail started by somebody else than this process: an ordinary user, a launcher that dies.</summary>
[Collection("processes")]
public sealed class WrappedJailTests
{
    private const int JailNumber = 249;
    private const string JailPath = "/proc/self/fd/249";
    private const int Nobody = 65534;

    [Fact]
    public void Launcher_IsOrdinaryUser_JailIsTheSameButForTheGroups()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // every other test of this folder is then this one
        }

        using Started started = Start("/usr/bin/setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", JailPath], JailedProbe.Spec(null));
        string[] lines = ReadUntilEnd(started.Output);
        Assert.Contains("bounding 0", lines);
        JailReport report = ReadReport(started.Reports);
        Assert.Null(report.FailedStep);
        using ChildProcess child = ChildProcess.Adopt(report.Value);
        string status = File.ReadAllText($"/proc/{child.Pid}/status");
        Assert.Contains($"Uid:\t{Nobody}\t{Nobody}\t{Nobody}\t{Nobody}\n", status, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000\n", status, StringComparison.Ordinal);
        started.Hold.Dispose();
        Assert.Equal(42, child.Wait().Code);
        Assert.Equal(0, started.Wrapper.Wait().ShellCode);
    }

    [Fact]
    public void Launcher_IsKilled_JailedProcessDies()
    {
        // The shell is the launcher here: it starts the stage and waits.
        using Started started = Start("/bin/sh", ["-c", $"{JailPath} & while :; do wait; read line </dev/null; done"], JailedProbe.Spec(Environment.IsPrivilegedProcess ? 3_000_018 : null));
        _ = ReadUntilEnd(started.Output);
        Assert.Equal(0, started.Wrapper.Kill(9));
        Assert.Equal(9, started.Wrapper.Wait().Signal);
        // Only the jailed process still held this pipe.
        Assert.Equal(1, Poll.Wait(started.Output.Number, PollEvents.Readable, 10_000, out PollEvents found));
        Assert.Equal(PollEvents.HangUp, found);
    }

    private static Started Start(string wrapper, string[] arguments, JailSpec spec)
    {
        using FdHandle executable = FileOpen.Read(wrapper);
        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        using FdHandle probe = FileOpen.Read(CProgram.Probe);
        using FdHandle specFile = MemFd.Create("spec");
        Assert.Equal(0, FdIo.WriteAll(specFile.Number, spec.Encode()));
        (FdHandle held, FdHandle hold) = Pipe.Create();
        (FdHandle output, FdHandle childOutput) = Pipe.Create();
        (FdHandle reports, FdHandle childReports) = Pipe.Create();
        using (held)
        using (childOutput)
        using (childReports)
        {
            ChildProcess child = Spawner.Spawn(new SpawnSpec
            {
                Executable = executable,
                Arguments = [Path.GetFileName(wrapper), .. arguments],
                Fds =
                [
                    new(0, held), new(1, childOutput), new(2, childOutput), new(5, childOutput), new(JailNumber, jail),
                    new(JailFds.Status, childReports), new(JailFds.Spec, specFile), new(JailFds.Executable, probe),
                ],
            });
            return new Started(child, hold, output, reports);
        }
    }

    private static JailReport ReadReport(FdHandle reports)
    {
        // The jailed process announces itself too; a pipe does not tell who wrote.
        JailReport report;
        do
        {
            byte[] message = new byte[JailReport.Bytes];
            Assert.Equal(message.Length, FdIo.ReadFull(reports.Number, message));
            report = JailReport.Decode(message);
        }
        while (report is { FailedStep: null, Value: JailReport.Sender });
        return report;
    }

    private static string[] ReadUntilEnd(FdHandle output)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        while (!text.ToString().EndsWith("end 0\n", StringComparison.Ordinal))
        {
            int count = FdIo.Read(output.Number, buffer);
            Assert.True(count > 0, text.ToString());
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString().Split('\n');
    }

    private sealed record Started(ChildProcess Wrapper, FdHandle Hold, FdHandle Output, FdHandle Reports) : IDisposable
    {
        public void Dispose()
        {
            _ = Wrapper.Kill(9);
            _ = Wrapper.Wait();
            Wrapper.Dispose();
            Hold.Dispose();
            Output.Dispose();
            Reports.Dispose();
        }
    }
}
