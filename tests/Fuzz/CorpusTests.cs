namespace Sandbox.Fuzz.Tests;

/// <summary>What fuzzing has reached stays reachable, and harmless.</summary>
public sealed class CorpusTests
{
    public static TheoryData<string> Targets => [.. Fuzzer.Targets];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Corpus_OfEveryTarget_IsReplayedWithoutAFinding(string target)
    {
        string output = Fuzzer.Run(0, "replay", target, $"fuzz/corpus/{target}");

        Assert.DoesNotContain(" 0 inputs", output, StringComparison.Ordinal);
    }

    /// <summary>As many inputs as take about a second, from one seed: a change that breaks a target at once is seen at once.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void Target_FromAFixedSeed_FindsNothing(string target)
    {
        int executions = target switch
        {
            "acpi" => 40,
            "blk" or "vsock" or "net" or "tap" or "backend" or "frontend" or "inbox" or "client" => 2000,
            _ => 10_000,
        };

        Fuzzer.Run(0, "run", target, "--execs", $"{executions}", "--seed", "20", "--corpus", "fuzz/corpus", "--findings", "artifacts/fuzz/findings");
    }

    [Fact]
    public void Target_FromTheSameSeed_DoesTheSame()
    {
        string[] Counted() => Fuzzer.Run(0, "run", "virtqueue", "--execs", "5000", "--seed", "3").Split(' ', StringSplitOptions.RemoveEmptyEntries);

        string[] first = Counted();
        string[] second = Counted();

        Assert.Equal((first[1], first[4]), (second[1], second[4])); // executions and outcomes reached
    }
}
