using System.Globalization;
using System.Text.RegularExpressions;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>Many starts and ends, good and bad ones: a pair is one sandbox's at a time, and no label stays behind.</summary>
[Collection(EnforcingGroup.Name)]
public sealed class ChurnTests(EnforcingLab lab)
{
    /// <summary>Starts in all: `make churn-selinux` sets more.</summary>
    private static readonly int Starts = int.Parse(Environment.GetEnvironmentVariable("SELINUX_CHURN_STARTS") ?? "12", CultureInfo.InvariantCulture);

    private const string Functions =
        """
        image() { truncate -s 1M $1; chcon -t sbx_image_t $1; }
        plain() { for file; do [ "$(stat -c %C $file)" = system_u:object_r:sbx_image_t:s0 ] || echo "LABEL LEFT: $(ls -Z $file)"; done; }
        nothing_left() {
            for wait in $(seq 40); do ps -eo label | grep -qE 'sbx_(vmm|block|vsock|rng|jail)_t' || break; sleep 0.1; done
            ps -eo label,pid,args | grep -E 'sbx_(vmm|block|vsock|rng|jail)_t' | grep -v grep && echo PROCESS LEFT
            [ -e /var/lib/sandbox/selinux ] && { echo JOURNAL LEFT; head /var/lib/sandbox/selinux/*; }
            $sandbox selinux status | grep -E 'relabelled|launcher gone'
            grep -q 'sandbox/' /proc/net/unix && echo NAME LEFT
        }
        """;

    [Fact]
    public async Task Pairs_OverManyStarts_AreUniqueAndAllGivenBack()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            # Which launchers have which pair now? One line for each, over and over.
            ( while [ ! -e /tmp/churn.end ]; do ps -eo ppid,label | sed -n 's/^ *\([0-9]*\) .*:sbx_vmm_t:s0:\(c[0-9]*,c[0-9]*\)$/\2 \1/p' | sort -u | cut -d' ' -f1 | uniq -d >>/tmp/churn.twice
                ps -eo label | grep -o 'sbx_vmm_t:s0:.*' >>/tmp/churn.seen; sleep 0.05; done ) & watch=$!
            start() {
                image /var/lib/sandbox/images/churn$1.img
                for number in $(seq $(({{Starts}} / 3))); do
                    # Ends in the middle of its start, or of its boot.
                    $sandbox run --selinux=required --timeout $((600 + (number * 7 + $1) % 5 * 900))ms --disk /var/lib/sandbox/images/churn$1.img -- /bin/true >/dev/null 2>/tmp/churn.$1.err
                    case $? in 0 | 124) ;; 125) grep -qE 'did not answer within|did not prepare' /tmp/churn.$1.err || { echo START FAILED; cat /tmp/churn.$1.err; } ;; *) echo CODE $? ;; esac
                    plain /var/lib/sandbox/images/churn$1.img
                done
            }
            start 1 & one=$!; start 2 & two=$!; start 3 & three=$!
            wait $one $two $three
            touch /tmp/churn.end; wait $watch
            nothing_left
            [ -s /tmp/churn.twice ] && { echo PAIR TWICE; cat /tmp/churn.twice; }
            echo $(sort -u /tmp/churn.seen | grep -c .) pairs
            rm -f /tmp/churn.* /var/lib/sandbox/images/churn*; denials
            """,
            TimeSpan.FromSeconds(60 + (Starts * 6)));
        Expect.ExitCode(0, result);
        Assert.True(Regex.IsMatch(result.Text, @"^\d+ pairs$"), result.ToString());
        // The watch does not see every start, and some end before they have a process: it must have seen many.
        Assert.InRange(int.Parse(result.Text.Split(' ')[0], CultureInfo.InvariantCulture), Starts / 4, Starts);
    }

    [Theory]
    [InlineData("0.05 0.15 0.3 0.45 0.6")]
    [InlineData("0.8 1.1 1.5 2.5")]
    public async Task Launcher_KilledInAnyPhase_LeavesALabelOnlyUntilItIsRestored(string delays)
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/kill.img
            for delay in {{delays}}; do
                $sandbox run --selinux=required --disk /var/lib/sandbox/images/kill.img -- /bin/sleep 600 2>/dev/null & sleep $delay; kill -KILL $!; wait $! 2>/dev/null
                ls -Z /var/lib/sandbox/images/kill.img | grep -c ':c' >>/tmp/kill.seen
                $sandbox selinux restore; plain /var/lib/sandbox/images/kill.img; nothing_left
            done
            grep -c 1 /tmp/kill.seen; rm -f /tmp/kill.seen; denials
            """);
        Assert.True(Regex.IsMatch(result.Text, @"^\d+$"), result.ToString()); // how often there was a label to restore; nothing else is said
    }

    [Fact]
    public async Task Start_AfterAKilledLauncher_RestoresItsImage()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/dead.img; image /var/lib/sandbox/images/next.img
            $sandbox run --selinux=required --disk /var/lib/sandbox/images/dead.img -- /bin/sleep 600 2>/dev/null & sleep 2.5; kill -KILL $!; wait $! 2>/dev/null
            ls -Z /var/lib/sandbox/images/dead.img | grep -c ':c'
            $sandbox selinux status | grep -c 'launcher gone'
            $sandbox run --selinux=required --disk /var/lib/sandbox/images/next.img -- /bin/true; echo code $?
            plain /var/lib/sandbox/images/dead.img /var/lib/sandbox/images/next.img; nothing_left; denials
            """);
        Expect.Text("1\n1\ncode 0", result);
    }

    /// <summary>What somebody has labelled since is not put back.</summary>
    [Fact]
    public async Task Image_RelabelledMeanwhile_KeepsItsNewLabel()
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            {{Functions}}
            image /var/lib/sandbox/images/moved.img
            $sandbox run --selinux=required --disk /var/lib/sandbox/images/moved.img -- /bin/sleep 600 2>/dev/null & sleep 2.5; kill -KILL $!; wait $! 2>/dev/null
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
            $sandbox run --disk /var/lib/sandbox/images/mine.img -- /bin/sleep 600 2>/dev/null & first=$!
            for wait in $(seq 50); do ls -Z /var/lib/sandbox/images/mine.img | grep -q ':c' && break; sleep 0.1; done
            $sandbox run --disk /var/lib/sandbox/images/mine.img -- /bin/true; code=$?
            kill -KILL $first; wait $first 2>/dev/null; $sandbox selinux restore; nothing_left; exit $code
            """);
        Expect.Failure(result, "mine.img", "in use");
    }
}
