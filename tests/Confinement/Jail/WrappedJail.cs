using System.Text;
using Sandbox.Control.Jail;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>A jail stage that another program executes, after it has prepared something.</summary>
internal sealed record WrappedJail(ChildProcess Wrapper, FdHandle Hold, FdHandle Output, FdHandle Reports) : IDisposable
{
    /// <summary>Where the wrapper finds sandbox-jail.</summary>
    internal const string JailPath = "/proc/self/fd/240";

    private const int JailNumber = 240;

    internal static WrappedJail Start(string wrapper, string[] arguments, JailSpec spec)
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
            return new WrappedJail(child, hold, output, reports);
        }
    }

    /// <summary>A failed step, or the number of the process that goes on.</summary>
    internal JailReport ReadReport()
    {
        // The jailed process announces itself too; a pipe does not tell who wrote.
        JailReport report;
        do
        {
            byte[] message = new byte[JailReport.Bytes];
            Assert.Equal(message.Length, FdIo.ReadFull(Reports.Number, message));
            report = JailReport.Decode(message);
        }
        while (report is { FailedStep: null, Value: JailReport.Sender });
        return report;
    }

    /// <summary>What the probe says, in lines.</summary>
    internal string[] ReadUntilEnd()
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        while (!text.ToString().EndsWith("end 0\n", StringComparison.Ordinal))
        {
            int count = FdIo.Read(Output.Number, buffer);
            Assert.True(count > 0, text.ToString());
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString().Split('\n');
    }

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
