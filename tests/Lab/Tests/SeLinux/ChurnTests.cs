using System.Globalization;
using System.Text.RegularExpressions;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>Many starts and ends, good and bad ones: a pair is one sandbox's at a time, and no label stays behind.</summary>
[Collection(EnforcingGroup.Name)]
public sealed class ChurnTests(EnforcingLab lab)
{
    /// <summary>Starts in all: `make churn-selinux` sets more.</summary>
    private static readonly int Starts = int.Parse(Environment.GetEnvironmentVariable("SELINUX_CHURN_STARTS") ?? "16", CultureInfo.InvariantCulture);

    /// <summary>A launcher with one disk has some 115 landmarks; the exact number is the scheduler's. `make churn-selinux` is killed at each.</summary>
    private static readonly int LandmarkStep = Starts >= 1000 ? 1 : 38;

    // The guest is a few instructions, which end the machine or halt it: what is tested here is outside of it.
    private const string Functions =
        """
        image() { truncate -s 1M $1; chcon -t sbx_image_t $1; }
        plain() { [ "$(stat -c %C $1)" = system_u:object_r:sbx_image_t:s0 ] || echo "LABEL LEFT: $(ls -Z $1)"; }
        labelled() { for wait in $(seq 600); do case $(stat -c %C $1) in *:s0:c*) return ;; esac; sleep 0.1; done; echo NO LABEL; }
        nothing_left() { $churn left; $sandbox selinux status | grep -E 'relabelled|launcher gone'; }
        # In a process of its own, which becomes the launcher: (start ...), or start ... &
        start() { exec $sandbox run --selinux=required --disk $1 --kernel $micro/$2.elf "${@:3}" -- /bin/true; }
        """;

    /// <summary>What is done to the launchers, and what is looked at, stands in churn.c: it prints a line for all that is wrong.</summary>
    [Fact]
    public async Task Pairs_OverManyStarts_AreUniqueAndAllGivenBack()
    {
        CommandResult result = await lab.ScriptAsync(
            $"$churn run {Starts} $sandbox $micro; code=$?; denials; exit $code",
            TimeSpan.FromSeconds(300 + (Starts * 8)));
        await Console.Out.WriteLineAsync(result.Text);
        Expect.ExitCode(0, result);
        Match figures = Regex.Match(
            result.Text,
            @"^(?<pairs>\d+) pairs, (?<most>\d+) at a time, on (?<processes>\d+) processes, \d+ gone before a look\n(?<starts>\d+) starts, 0 wrong, (?<killed>\d+) killed, \d+ of them at (?<landmarks>\d+) landmarks, (?<labels>\d+) labels put back$");
        Assert.True(figures.Success, result.ToString());
        int Figure(string name) => int.Parse(figures.Groups[name].Value, CultureInfo.InvariantCulture);
        Assert.Equal(Starts, Figure("starts"));
        // Those that nobody kills have processes and a pair; two of 2,000 may have the same by chance, one after the other.
        int undisturbed = Enumerable.Range(1, Starts).Count(static number => number / 4 % 8 is 0 or > 4);
        Assert.InRange(Figure("pairs"), undisturbed - (Starts / 100), Starts);
        Assert.InRange(Figure("processes"), undisturbed * 2, Starts * 5);
        Assert.InRange(Figure("most"), 2, 4);
        Assert.InRange(Figure("killed"), Starts / 8, Starts / 2);
    }

    /// <summary>A landmark is a system call of the launcher that others can notice: before each one the world may look different.</summary>
    [Fact]
    public async Task Launcher_KilledAtEachOfItsLandmarks_LeavesALabelOnlyUntilItIsRestored()
    {
        CommandResult result = await lab.ScriptAsync(
            $"$churn landmarks {LandmarkStep} $sandbox $micro; code=$?; denials; exit $code",
            TimeSpan.FromMinutes(LandmarkStep == 1 ? 60 : 5));
        await Console.Out.WriteLineAsync(result.Text);
        Expect.ExitCode(0, result);
        Match figures = Regex.Match(result.Text, @"^(?<kills>\d+) kills, (?<labels>\d+) labels put back$");
        Assert.True(figures.Success, result.ToString());
        int kills = int.Parse(figures.Groups["kills"].Value, CultureInfo.InvariantCulture);
        Assert.InRange(kills, 60 / LandmarkStep, 1000);
        Assert.InRange(int.Parse(figures.Groups["labels"].Value, CultureInfo.InvariantCulture), 1, kills);
    }

    [Fact]
    public async Task Start_AfterAKilledLauncher_RestoresItsImage()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/dead.img; image /var/lib/sandbox/images/next.img
            start /var/lib/sandbox/images/dead.img halt 2>/dev/null & labelled /var/lib/sandbox/images/dead.img; kill -KILL $!; wait $! 2>/dev/null
            ls -Z /var/lib/sandbox/images/dead.img | grep -c ':c'
            $sandbox selinux status | grep -c 'launcher gone'
            (start /var/lib/sandbox/images/next.img reset) 2>&1 | grep -c GuestReset
            plain /var/lib/sandbox/images/dead.img; plain /var/lib/sandbox/images/next.img; nothing_left; denials
            """);
        Expect.Text("1\n1\n1", result);
    }

    /// <summary>What somebody has labelled since is not put back.</summary>
    [Fact]
    public async Task Image_RelabelledMeanwhile_KeepsItsNewLabel()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/moved.img
            start /var/lib/sandbox/images/moved.img halt 2>/dev/null & labelled /var/lib/sandbox/images/moved.img; kill -KILL $!; wait $! 2>/dev/null
            chcon system_u:object_r:sbx_image_ro_t:s0 /var/lib/sandbox/images/moved.img
            $sandbox selinux restore; stat -c %C /var/lib/sandbox/images/moved.img; nothing_left
            """);
        Expect.Text("system_u:object_r:sbx_image_ro_t:s0", result);
    }

    [Fact]
    public async Task Image_OfARunningSandbox_IsNoOthers()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/mine.img
            start /var/lib/sandbox/images/mine.img halt 2>/dev/null & first=$!
            labelled /var/lib/sandbox/images/mine.img
            $sandbox run --disk /var/lib/sandbox/images/mine.img -- /bin/true; code=$?
            kill -KILL $first; wait $first 2>/dev/null; $sandbox selinux restore; nothing_left; exit $code
            """);
        Expect.Failure(result, "mine.img", "in use");
    }
}
