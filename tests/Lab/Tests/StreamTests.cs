using System.Security.Cryptography;

namespace Sandbox.Lab.Tests;

/// <summary>Standard input, output and error of a command in a guest: separate, byte-exact, flow-controlled.</summary>
[Collection(LabGroup.Name)]
public sealed class StreamTests(LabHost lab)
{
    [Fact]
    public async Task Streams_OfACommand_StaySeparate()
    {
        CommandResult result = await lab.SandboxAsync("run", "--", "/bin/sh", "-c", "echo out; echo err >&2");
        Expect.ExitCode(0, result);
        Assert.Equal(("out", "err\n"), (result.Text, result.Error));
    }

    [Fact]
    public async Task Input_WithEveryByteValue_ComesBackUnchanged()
    {
        byte[] sent = RandomNumberGenerator.GetBytes(1_000_003);
        CommandResult result = await lab.RunAsync([Product.Exe, "run", "--", "/bin/cat"], sent);
        Expect.ExitCode(0, result);
        Assert.True(sent.AsSpan().SequenceEqual(result.Output), $"{result.Output.Length} of {sent.Length} bytes: {result.Error}");
    }

    [Fact]
    public async Task Input_ThatEnds_EndsInTheGuest()
    {
        CommandResult result = await lab.RunAsync([Product.Exe, "run", "--", "/bin/sh", "-c", "cat >/dev/null; echo ended"], []);
        Expect.ExitCode(0, result);
        Expect.Text("ended", result);
    }

    [Fact]
    public async Task Pipe_Of100Megabytes_KeepsItsHash()
    {
        // The bytes are made and hashed beside the guest: only the guest's own pipe is measured.
        CommandResult result = await lab.ScriptAsync(
            """
            make() { seq 1 12700000 | head -c 100000000; }
            sent=$(make | sha256sum)
            received=$(make | $sandbox run -- /bin/cat | sha256sum; exit ${PIPESTATUS[1]}) || exit
            echo "$sent"
            echo "$received"
            """,
            limit: TimeSpan.FromMinutes(4));
        Expect.ExitCode(0, result);
        string[] hashes = result.Text.Split('\n');
        Assert.True(hashes.Length == 2 && hashes[0] == hashes[1], result.ToString());
    }

    [Fact]
    public async Task Output_NobodyReads_IsBoundedInTheLauncher()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            $sandbox run --memory 128M -- /bin/cat /dev/zero | (
                sleep 15
                for pid in $(pgrep -x sandbox); do grep -H VmRSS /proc/$pid/status; done | awk '{ kb += $2 } END { print kb }'
                head -c 100000 | wc -c
            )
            echo ${PIPESTATUS[0]}
            """);
        string[] lines = result.Text.Split('\n');
        Assert.True(lines.Length == 3, result.ToString());
        Assert.InRange(int.Parse(lines[0], null), 1, 40_000);
        Assert.Equal("100000", lines[1]);
        Assert.NotEqual("0", lines[2]); // the reader has gone away: as a write to a closed pipe
    }

    [Fact]
    public async Task Errors_WhileOutputIsStuck_StillCome()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkfifo /tmp/stuck
            $sandbox run -- /bin/sh -c 'cat /dev/zero & sleep 1; echo alive >&2; sleep 60' 2>/tmp/errors >/tmp/stuck &
            exec 3</tmp/stuck
            for wait in $(seq 300); do grep -q alive /tmp/errors && break; sleep 0.1; done
            cat /tmp/errors
            kill -KILL $!
            rm -f /tmp/stuck /tmp/errors
            """);
        Expect.Text("alive", result);
    }
}
