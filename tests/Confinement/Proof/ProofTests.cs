using Sandbox.Proof;

namespace Sandbox.Confinement.Tests.Proof;

/// <summary>What `sandbox doctor --prove` does, for real: real jails, real filters, real neighbours.</summary>
[Collection("processes")]
public sealed class ProofTests(ProofTests.Run run) : IClassFixture<ProofTests.Run>
{
    private const int LeastActs = 60;

    [Fact]
    public void Acts_InThePlaceOfEveryProcess_AreRefused()
    {
        string[] done =
        [
            .. from process in run.Report.Processes
               from act in process.Acts
               where !act.Outcome.IsRefused
               select $"{process.Process}: {act.Act}: {act.Outcome.How}",
        ];
        Assert.True(done.Length == 0, string.Join('\n', done));
        Assert.True(run.Report.Holds);
    }

    [Fact]
    public void Acts_InThePlaceOfEveryProcess_AreMany()
    {
        Assert.Equal(ProbedPlace.All.Count, run.Report.Processes.Count);
        Assert.All(run.Report.Processes, static process => Assert.True(process.Acts.Select(static act => act.Act).Distinct().Count() >= LeastActs));
    }

    /// <summary>The probe stood where it should: the filter was on, and what it lets through met the other walls.</summary>
    [Fact]
    public void Outcomes_InThePlaceOfEveryProcess_ComeFromMoreThanOneWall()
    {
        Assert.All(run.Report.Processes, static process =>
        {
            Assert.Contains(process.Acts, static act => act.Outcome.Refusal == ActRefusal.Killed);
            Assert.Contains(process.Acts, static act => act.WithoutFilter.Refusal == ActRefusal.None);
            Assert.DoesNotContain(process.Acts, static act => act.WithoutFilter.Refusal == ActRefusal.NotAttempted);
            Assert.All(process.Acts.Where(static act => act.Walls != ConfinementWall.None), act => Assert.True(act.WithoutFilter.IsRefused, $"{process.Process}: {act.Act}"));
        });
    }

    /// <summary>One proof for all questions about it.</summary>
    public sealed class Run : IAsyncLifetime
    {
        public ProofReport Report { get; private set; } = null!;

        public async Task InitializeAsync() => Report = await SandboxProof.RunAsync(new MicroVmOptions { ExecutableDirectory = Repository.Exes });

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
