using Sandbox.Labels;

namespace Sandbox.Unit.Tests.Labels;

public sealed class CategoryPairTests
{
    [Fact]
    public void At_ForEveryIndex_GivesEveryPairOnce()
    {
        HashSet<(int, int)> pairs = [];
        for (int index = 0; index < CategoryPair.CountOf(CategoryPair.Categories); index++)
        {
            CategoryPair pair = CategoryPair.At(index);
            Assert.True(pair.Low >= 0 && pair.Low < pair.High && pair.High < CategoryPair.Categories && pairs.Add((pair.Low, pair.High)) && pair.Index == index, $"{index}: {pair}");
        }

        Assert.Equal(523_776, pairs.Count);
    }

    [Theory]
    [InlineData("c0,c1", true)]
    [InlineData("c12,c800", true)]
    [InlineData("c0,c1023", true)]
    [InlineData("c1,c0", false)]
    [InlineData("c1,c1", false)]
    [InlineData("c1", false)]
    [InlineData("c1,c2,c3", false)]
    [InlineData("c0.c1023", false)]
    [InlineData("c0,c1024", false)]
    [InlineData("c-1,c2", false)]
    [InlineData("c1, c2", false)]
    [InlineData("1,2", false)]
    [InlineData("", false)]
    public void TryParse_OfAText_TakesOnlyAPair(string text, bool isPair)
    {
        Assert.Equal(isPair, CategoryPair.TryParse(text, out CategoryPair pair));
        if (isPair)
        {
            Assert.Equal(text, pair.ToString());
        }
    }

    [Theory]
    [InlineData("system_u:system_r:svirt_t:s0:c392,c662", "c392,c662")]
    [InlineData("unconfined_u:unconfined_r:sbx_vmm_t:s0:c1,c2\0", "c1,c2")]
    [InlineData("system_u:system_r:host_t:s0-s0:c0.c1023", null)]
    [InlineData("system_u:system_r:host_t:s0", null)]
    [InlineData("kernel", null)]
    [InlineData("a:b:c:", null)]
    [InlineData("", null)]
    public void TryGetPair_OfALabel_FindsThePairOfTheLevel(string label, string? expected)
    {
        string? found = SecurityContext.TryParse(label, out SecurityContext context) && context.TryGetPair(out CategoryPair pair) ? pair.ToString() : null;
        Assert.Equal(expected, found);
    }
}
