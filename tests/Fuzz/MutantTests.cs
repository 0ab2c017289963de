namespace Sandbox.Fuzz.Tests;

/// <summary>The fuzzer finds flaws that are planted; all of them: make fuzz-mutants.</summary>
public sealed class MutantTests
{
    /// <summary>A double fetch, a head taken twice, registers that survive a reset: found in a second, from random bytes alone.</summary>
    [Fact]
    public void PlantedFlaws_OfTheShortList_AreFound()
    {
        string table = Fuzzer.Run(0, "mutants", "--only", "04,09,17");

        Assert.Equal(3, table.Split("| found |").Length - 1);
    }
}
