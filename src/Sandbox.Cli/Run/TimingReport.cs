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
        foreach ((string phase, TimeSpan at) in ((string, TimeSpan)[])
        [
            ("files opened", start.FilesOpened),
            ("processes spawned", start.ProcessesSpawned),
            ("processes ready", start.ProcessesReady),
            ("kernel loaded", start.KernelLoaded),
            ("devices attached", start.DevicesAttached),
            ("first instruction", start.FirstInstruction),
            ("agent connected", start.AgentConnected),
            ("guest ready", start.GuestReady),
            ("command started", commandStarted),
            ("command exited", commandExited),
            ("microVM gone", ended),
        ])
        {
            text.Append(CultureInfo.InvariantCulture, $"sandbox: {phase,-18} {Milliseconds(at),9} ms {Milliseconds(at - before),9}\n");
            before = at;
        }

        return text.ToString();
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
