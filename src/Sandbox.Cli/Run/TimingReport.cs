using System.Globalization;
using System.Text;

namespace Sandbox.Cli.Run;

/// <summary>--timing: one line a phase, milliseconds since the start and since the phase before.</summary>
internal static class TimingReport
{
    public static string Make(StartTimings start, TimeSpan commandStarted, TimeSpan commandExited, TimeSpan ended)
    {
        StringBuilder text = new();
        TimeSpan before = TimeSpan.Zero;
        Line("files opened", start.FilesOpened);
        Line("processes spawned", start.ProcessesSpawned);
        Line("processes ready", start.ProcessesReady);
        Line("kernel loaded", start.KernelLoaded);
        Line("devices attached", start.DevicesAttached);
        Line("first instruction", start.FirstInstruction);
        Line("agent connected", start.AgentConnected);
        Line("guest ready", start.GuestReady);
        Line("command started", commandStarted);
        Line("command exited", commandExited);
        Line("microVM gone", ended);
        return text.ToString();

        void Line(string phase, TimeSpan at)
        {
            text.Append(CultureInfo.InvariantCulture, $"sandbox: {phase,-18} {Milliseconds(at),9} ms {Milliseconds(at - before),9}\n");
            before = at;
        }
    }

    /// <summary>The line below the phases.</summary>
    public static string Labels(SeLinuxStatus status) => $"sandbox: {"SELinux",-18} {(status.Level is { } level ? $"{level}, {status.Detail}" : status.Detail)}\n";

    /// <summary>The lines below that: what of the host's resources is not limited.</summary>
    public static string Limits(IReadOnlyList<string> unenforced)
    {
        const string name = "sandbox: host limits        ";
        return name + (unenforced.Count == 0 ? "held by control groups" : string.Join("\n" + name, unenforced)) + "\n";
    }

    /// <summary>With one decimal.</summary>
    private static string Milliseconds(TimeSpan time)
    {
        long tenths = time.Ticks / (TimeSpan.TicksPerMillisecond / 10);
        return $"{(tenths < 0 ? "-" : "")}{Math.Abs(tenths) / 10}.{Math.Abs(tenths) % 10}";
    }
}
