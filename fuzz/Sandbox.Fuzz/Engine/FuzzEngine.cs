using System.Diagnostics;
using System.Globalization;

namespace Sandbox.Fuzz.Engine;

/// <summary>How long, from which seed, with which corpus.</summary>
/// <param name="Time">Ends after this; zero: no limit.</param>
/// <param name="Executions">Ends after so many; zero: no limit.</param>
/// <param name="Seed">Same seed, same corpus and same count: same inputs.</param>
/// <param name="CorpusFolder">Inputs to begin with; null: none.</param>
/// <param name="SaveFolder">Where inputs that reach something new go; null: nowhere.</param>
/// <param name="CrashFile">Holds the input at work, for a process that does not live to tell.</param>
internal sealed record FuzzPlan(TimeSpan Time, long Executions, ulong Seed, string? CorpusFolder, string? SaveFolder, string CrashFile);

/// <summary>What came of it.</summary>
internal sealed record FuzzResult(long Executions, TimeSpan Elapsed, int Outcomes, Finding? Finding)
{
    public string Line(string name) => string.Create(
        CultureInfo.InvariantCulture, $"{name,-14} {Executions,10} executions {Executions / Math.Max(Elapsed.TotalSeconds, 0.001),9:F0}/s {Outcomes,5} outcomes {Elapsed.TotalSeconds,7:F1} s");
}

/// <summary>An input that made the product fail, and how.</summary>
internal sealed record Finding(byte[] Input, string What);

/// <summary>The engine that needs no tool: seeded mutation, and a corpus of the inputs that reached an outcome first.</summary>
internal static class FuzzEngine
{
    private const int Visits = 6;

    public static FuzzResult Run(IFuzzer target, FuzzPlan plan, Action<byte[]> hung)
    {
        Reached.Forget();
        List<byte[]> corpus = [];
        using Watchdog watchdog = new(hung);
        using CrashFile? crash = target.MayCrash ? new CrashFile(plan.CrashFile) : null;
        Stopwatch clock = Stopwatch.StartNew();
        long executions = 0;
        foreach (string file in Corpus.Files(plan.CorpusFolder))
        {
            byte[] input = File.ReadAllBytes(file);
            executions++;
            crash?.Write(input);
            if (RunOne(target, input, watchdog) is { } finding)
            {
                return new FuzzResult(executions, clock.Elapsed, Reached.Count, finding);
            }

            _ = Reached.TakeNew();
            corpus.Add(input);
        }

        Mutator mutator = new(plan.Seed, target);
        while ((plan.Executions == 0 || executions < plan.Executions) && (plan.Time == TimeSpan.Zero || clock.Elapsed < plan.Time))
        {
            ReadOnlySpan<byte> input = mutator.Next(corpus);
            executions++;
            crash?.Write(input);
            if (RunOne(target, input, watchdog) is { } finding)
            {
                return new FuzzResult(executions, clock.Elapsed, Reached.Count, finding);
            }

            if (Reached.TakeNew())
            {
                byte[] kept = input.ToArray();
                corpus.Add(kept);
                if (plan.SaveFolder is not null)
                {
                    Corpus.Save(plan.SaveFolder, kept);
                }
            }
        }

        return new FuzzResult(executions, clock.Elapsed, Reached.Count, null);
    }

    /// <summary>Runs one input; what it threw, or null.</summary>
    public static Finding? RunOne(IFuzzer target, ReadOnlySpan<byte> input, Watchdog? watchdog)
    {
        watchdog?.Begin(input);
        try
        {
            // The first visit to a method may fill a static of the runtime: a suspicion is believed when it stays.
            for (int visit = 1; !TryRun(target, input, last: visit == Visits); visit++)
            {
            }

            return null;
        }
        catch (Exception failure)
        {
            return new Finding(input.ToArray(), failure is FindingException or SuspicionException ? failure.Message : failure.ToString());
        }
        finally
        {
            watchdog?.End();
        }
    }

    private static bool TryRun(IFuzzer target, ReadOnlySpan<byte> input, bool last)
    {
        try
        {
            target.Run(input);
            return true;
        }
        catch (SuspicionException) when (!last)
        {
            return false;
        }
    }

    /// <summary>Takes away what the failure does not need: pieces, then the values of bytes. Bounded, so that a slow target ends too.</summary>
    public static Finding Minimise(IFuzzer target, Finding finding)
    {
        Finding best = finding;
        long until = Stopwatch.GetTimestamp() + (5 * Stopwatch.Frequency);
        for (int piece = Math.Max(1, best.Input.Length / 2); piece != 0 && Stopwatch.GetTimestamp() < until; piece /= 2)
        {
            for (int at = 0; at < best.Input.Length && Stopwatch.GetTimestamp() < until;)
            {
                int cut = Math.Min(piece, best.Input.Length - at);
                byte[] shorter = [.. best.Input.AsSpan(0, at), .. best.Input.AsSpan(at + cut)];
                if (RunOne(target, shorter, null) is { } same)
                {
                    best = same;
                }
                else
                {
                    at += piece;
                }
            }
        }

        for (int at = 0; at < best.Input.Length && Stopwatch.GetTimestamp() < until; at++)
        {
            byte[] simpler = [.. best.Input];
            simpler[at] = 0;
            best = best.Input[at] != 0 && RunOne(target, simpler, null) is { } same ? same : best;
        }

        return best;
    }
}
