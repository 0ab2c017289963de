using System.Text.Json;
using Sandbox.Cli.Doctor;
using Sandbox.Proof;

namespace Sandbox.Unit.Tests.Cli;

public sealed class ProofReportTests
{
    private static readonly ActOutcome Killed = new(ActRefusal.Killed, "killed");
    private static readonly ActOutcome Done = new(ActRefusal.None, "done");

    private static readonly ActResult Refused = new("OpenPasswords", "files", "open /etc/passwd", Killed, new(ActRefusal.Error, "ENOENT"), ConfinementWall.EmptyRoot | ConfinementWall.Landlock);
    private static readonly ActResult FilterOnly = new("Fork", "processes", "fork", Killed, Done, ConfinementWall.None);
    private static readonly ActResult Succeeded = new("ExhaustFds", "shares", "300 fds", Done, Done, ConfinementWall.Limits);

    [Fact]
    public void Text_OfAProofThatHolds_SaysSoForEachAct()
    {
        string text = ProofText.Of(new ProofReport([new ProcessProof("sandbox-device (block)", [Refused, FilterOnly])]));
        Assert.Contains("open /etc/passwd                      killed: filter            ENOENT: empty root, Landlock\n", text, StringComparison.Ordinal);
        Assert.Contains("killed: filter            possible: the filter is the wall\n", text, StringComparison.Ordinal);
        Assert.Contains("2 of 2 acts refused\n", text, StringComparison.Ordinal);
        Assert.EndsWith("every act was refused in the place of every process\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ActRefusal.None)]
    [InlineData(ActRefusal.NotAttempted)]
    public void Text_OfAProofThatFails_NamesTheActAtItsEnd(ActRefusal refusal)
    {
        ProofReport report = new([new ProcessProof("sandbox-vmm", [Refused, Succeeded with { Outcome = new(refusal, "why") }])]);
        Assert.False(report.Holds);
        string text = ProofText.Of(report);
        Assert.Contains("1 of 2 acts refused\n", text, StringComparison.Ordinal);
        Assert.EndsWith("NOT REFUSED: sandbox-vmm: 300 fds: why\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_OfAProof_IsReadByAParser()
    {
        ActResult odd = Succeeded with { Outcome = new(ActRefusal.NotAttempted, "it said \"\\\n") };
        using JsonDocument json = JsonDocument.Parse(ProofJson.Of(new ProofReport([new ProcessProof("sandbox-device (block)", [Refused, odd]), new ProcessProof("sandbox-vmm", [])])));
        Assert.False(json.RootElement.GetProperty("holds").GetBoolean());
        JsonElement process = json.RootElement.GetProperty("processes")[0];
        Assert.Equal("sandbox-device (block)", process.GetProperty("process").GetString());
        JsonElement act = process.GetProperty("acts")[0];
        Assert.Equal("OpenPasswords", act.GetProperty("act").GetString());
        Assert.True(act.GetProperty("outcome").GetProperty("refused").GetBoolean());
        Assert.Equal("ENOENT", act.GetProperty("withoutFilter").GetProperty("how").GetString());
        Assert.Equal(["empty root", "Landlock"], act.GetProperty("walls").EnumerateArray().Select(static wall => wall.GetString()));
        Assert.Equal("it said \"\\?", process.GetProperty("acts")[1].GetProperty("outcome").GetProperty("how").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("processes").GetArrayLength());
    }
}
