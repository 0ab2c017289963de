using System.Reflection;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Cover;

/// <summary>Runs what CI runs, where its lines are counted: the corpus of each target, and inputs from one seed. FUZZ_TARGET limits it to one.</summary>
public sealed class CoverTests
{
    public static TheoryData<string> Targets => [.. TargetList.Names.Where(name => Environment.GetEnvironmentVariable("FUZZ_TARGET") is not { Length: > 0 } only || only == name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Target_FromItsCorpus_IsCounted(string name)
    {
        string corpus = typeof(CoverTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Corpus").Value!;
        using TargetLease lease = TargetList.Open(name);
        FuzzPlan plan = new(TimeSpan.Zero, name == "acpi" ? 60 : 4000, 20, Path.Combine(corpus, name), null, Path.GetTempFileName());

        FuzzResult result = FuzzEngine.Run(lease.Target, plan, _ => Environment.FailFast($"{name}: hang"));

        Assert.Null(result.Finding);
    }
}
