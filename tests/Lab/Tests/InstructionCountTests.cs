using System.Diagnostics;
using System.Globalization;

namespace Sandbox.Lab.Tests;

/// <summary>
/// What a start, a boot, an exit and a request cost, in instructions of an emulated machine that counts them: the same in every run and under any load.
/// A change is either meant, then `tests/Lab/counts.sh >tests/Lab/counts.baseline`, or found here.
/// </summary>
public sealed class InstructionCountTests
{
    private const string Machine = "machine";
    private const double Tolerance = 0.03;

    /// <summary>With another emulator or kernel of the lab host than the baseline's, as after an update of the distribution: their own share has changed too.</summary>
    private const double ForeignTolerance = 0.15;

    [Fact]
    public async Task Counts_AreThoseOfTheBaseline()
    {
        Dictionary<string, string> expected = Read(await File.ReadAllTextAsync(Path.Combine(Product.Root, "tests/Lab/counts.baseline")));
        ProcessStartInfo start = new(Path.Combine(Product.Root, "tests/Lab/counts.sh")) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process counting = Process.Start(start)!;
        Task<string> errors = counting.StandardError.ReadToEndAsync();
        string output = await counting.StandardOutput.ReadToEndAsync();
        await counting.WaitForExitAsync();
        Assert.True(counting.ExitCode == 0, await errors);

        Dictionary<string, string> counted = Read(output);
        double tolerance = counted[Machine] == expected[Machine] ? Tolerance : ForeignTolerance;
        Assert.Equal(expected.Keys.Order(), counted.Keys.Order());
        foreach ((string name, string text) in expected.Where(static line => line.Key != Machine))
        {
            double baseline = double.Parse(text, CultureInfo.InvariantCulture);
            double now = double.Parse(counted[name], CultureInfo.InvariantCulture);
            Assert.True(Math.Abs(now - baseline) <= tolerance * baseline, $"{name}: {now} thousand instructions, {baseline} in the baseline; all of them:\n{output}");
        }
    }

    private static Dictionary<string, string> Read(string lines) =>
        lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' ', 2)).ToDictionary(static words => words[0], static words => words[1]);
}
