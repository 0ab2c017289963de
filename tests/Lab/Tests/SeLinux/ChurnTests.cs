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
    private static readonly int LandmarkStep = Starts >= 1000 ? 1 : 23;

    // The guest is a few instructions, which end the machine or halt it: what is tested here is outside of it.
    private const string Functions =
        """
        image() { truncate -s 1M $1; chcon -t sbx_image_t $1; }
        plain() { [ "$(stat -c %C $1)" = system_u:object_r:sbx_image_t:s0 ] || echo "LABEL LEFT: $(ls -Z $1)"; }
        # A label may be another launcher's to put back, which has begun with it.
        soon_plain() { for wait in $(seq 300); do case $(stat -c %C $1) in *:s0) return ;; esac; $sandbox selinux restore; sleep 0.2; done; plain $1; }
        labelled() { for wait in $(seq 600); do case $(stat -c %C $1) in *:s0:c*) return ;; esac; sleep 0.1; done; echo NO LABEL; }
        nothing_left() {
            for wait in $(seq 300); do ps -eo label | grep -qE 'sbx_(vmm|block|vsock|rng|jail)_t' || break; sleep 0.2; done
            ps -eo label,pid,args | grep -E 'sbx_(vmm|block|vsock|rng|jail)_t' | grep -v grep && echo PROCESS LEFT
            [ -e /var/lib/sandbox/selinux ] && { echo JOURNAL LEFT; head /var/lib/sandbox/selinux/*; }
            $sandbox selinux status | grep -E 'relabelled|launcher gone'
            grep -q 'sandbox/' /proc/net/unix && echo NAME LEFT
        }
        # In a process of its own, which becomes the launcher: (start ...), or start ... &
        start() { exec $sandbox run --selinux=required --disk $1 --kernel $micro/$2.elf "${@:3}" -- /bin/true; }
        """;

    [Fact]
    public async Task Pairs_OverManyStarts_AreUniqueAndAllGivenBack()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            rm -f /tmp/churn.*
            $churn watch /tmp/churn.end >/tmp/churn.watch & watch=$!
            churn() {
                image=/var/lib/sandbox/images/churn$1.img; image $image
                for number in $(seq $1 4 {{Starts}}); do
                    case $((number / 4 % 8)) in
                        1) # killed at one of its landmarks
                            $churn kill $((number / 32 * 13 % 115 + 1)) $sandbox run --selinux=required --disk $image --kernel $micro/reset.elf -- /bin/true 2>/dev/null | cut -d' ' -f1 >>/tmp/churn.kills
                            soon_plain $image ;;
                        2) # killed at any time
                            start $image halt 2>/dev/null & sleep 0.$((RANDOM % 10))$((RANDOM % 10)); kill -KILL $!; wait $! 2>/dev/null
                            echo killed >>/tmp/churn.kills; soon_plain $image ;;
                        3) # told to end
                            start $image halt 2>/dev/null & sleep 0.$((RANDOM % 10))$((RANDOM % 10)); kill -TERM $!; wait $!; soon_plain $image ;;
                        4) # ended by its own clock, wherever it is
                            (start $image halt --timeout $((300 + RANDOM % 2000))ms) 2>/tmp/churn.$1.err
                            grep -qE 'did not answer within|did not prepare' /tmp/churn.$1.err || { echo START FAILED; cat /tmp/churn.$1.err; }
                            plain $image ;;
                        *) # ended by its guest
                            (start $image reset) 2>/tmp/churn.$1.err
                            grep -q GuestReset /tmp/churn.$1.err || { echo START FAILED; cat /tmp/churn.$1.err; }
                            plain $image ;;
                    esac
                    echo $number >>/tmp/churn.done
                done
            }
            for worker in 1 2 3 4; do churn $worker & workers="$workers $!"; done
            wait $workers
            touch /tmp/churn.end; wait $watch || echo WATCH SAYS NO
            nothing_left
            echo "$(wc -l </tmp/churn.done) starts, $(grep -c killed /tmp/churn.kills) killed; $(cat /tmp/churn.watch)"
            rm -f /tmp/churn.* /var/lib/sandbox/images/churn*; denials
            """,
            TimeSpan.FromSeconds(300 + (Starts * 8)));
        Expect.ExitCode(0, result);
        Match figures = Regex.Match(result.Text, @"^(?<starts>\d+) starts, \d+ killed; (?<pairs>\d+) pairs, (?<most>\d+) at a time, \d+ looks$");
        Assert.True(figures.Success, result.ToString());
        await Console.Out.WriteLineAsync(result.Text);
        Assert.Equal(Starts, int.Parse(figures.Groups["starts"].Value, CultureInfo.InvariantCulture));
        // The watch does not see every start, and some end before they have a process: it must have seen many, also beside each other.
        Assert.InRange(int.Parse(figures.Groups["pairs"].Value, CultureInfo.InvariantCulture), Starts / 4, Starts);
        Assert.InRange(int.Parse(figures.Groups["most"].Value, CultureInfo.InvariantCulture), 2, 4);
    }

    /// <summary>A landmark is a system call of the launcher that others can notice: before each one the world may look different.</summary>
    [Fact]
    public async Task Launcher_KilledAtEachOfItsLandmarks_LeavesALabelOnlyUntilItIsRestored()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image=/var/lib/sandbox/images/kill.img; image $image
            for ((number = {{LandmarkStep}}; ; number += {{LandmarkStep}})); do
                said=$($churn kill $number $sandbox run --selinux=required --disk $image --kernel $micro/reset.elf -- /bin/true 2>/dev/null)
                case $said in "ended 125 "*) break ;; killed*) ;; *) echo "$said" ;; esac
                stat -c %C $image >>/tmp/kill.seen
                soon_plain $image; nothing_left
            done
            echo "$(wc -l </tmp/kill.seen) kills, $(grep -c ':c' /tmp/kill.seen) labels restored"; rm -f /tmp/kill.seen; denials
            """,
            TimeSpan.FromMinutes(LandmarkStep == 1 ? 60 : 5));
        Match figures = Regex.Match(result.Text, @"^(?<kills>\d+) kills, (?<labels>\d+) labels restored$");
        Assert.True(figures.Success, result.ToString());
        await Console.Out.WriteLineAsync(result.Text);
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
