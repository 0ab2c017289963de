namespace Sandbox.Lab.Tests;

/// <summary>SIGINT and SIGTERM reach the command; a second one ends the microVM at once.</summary>
[Collection(LabGroup.Name)]
public sealed class SignalTests(LabHost lab)
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Signal_ToSandbox_ReachesTheCommand(string signal)
    {
        CommandResult result = await lab.ScriptAsync(
            $$"""
            set -m
            $sandbox run -- /bin/sh -c 'trap "echo got; exit 5" {{signal}}; echo ready; while :; do sleep 0.2; done' >/tmp/out &
            for wait in $(seq 400); do grep -q ready /tmp/out && break; sleep 0.1; done
            kill -{{signal}} $!
            wait $!
            code=$?
            cat /tmp/out
            exit $code
            """);
        Expect.ExitCode(5, result);
        Expect.Text("ready\ngot", result);
    }

    [Fact]
    public async Task SecondSignal_ToSandbox_EndsTheGuestAtOnce()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            set -m
            $sandbox run -- /bin/sh -c 'trap "" TERM; echo ready; while :; do sleep 0.2; done' >/tmp/out &
            for wait in $(seq 400); do grep -q ready /tmp/out && break; sleep 0.1; done
            kill -TERM $!
            sleep 1
            kill -0 $! || exit 99
            kill -TERM $!
            wait $! # the command goes on for ever
            """);
        Expect.ExitCode(143, result);
    }
}
