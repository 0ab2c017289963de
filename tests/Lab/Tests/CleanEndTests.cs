namespace Sandbox.Lab.Tests;

/// <summary>However sandbox ends, nothing of it remains.</summary>
[Collection(LabGroup.Name)]
public sealed class CleanEndTests(LabHost lab)
{
    [Fact]
    public async Task Run_ToItsEnd_LeavesNothing()
    {
        Expect.ExitCode(0, await Leftovers.WatchAsync(lab, "$sandbox run -- /bin/true"));
    }

    [Fact]
    public async Task Launcher_KilledWithItsGuestRunning_LeavesNothing()
    {
        Expect.ExitCode(137, await Leftovers.WatchAsync(
            lab,
            "$sandbox run -- /bin/sh -c 'echo ready; sleep 600' >/tmp/left.out & for wait in $(seq 400); do grep -q ready /tmp/left.out && break; sleep 0.1; done; kill -KILL $!; wait $! 2>/dev/null"));
    }

    [Fact]
    public async Task Launcher_KilledWhileStarting_LeavesNothing()
    {
        Expect.ExitCode(137, await Leftovers.WatchAsync(
            lab,
            "for delay in 0.02 0.05 0.1 0.2 0.4 0.8; do $sandbox run -- /bin/sleep 600 & sleep $delay; kill -KILL $!; wait $! 2>/dev/null; done"));
    }

    [Theory]
    [InlineData("sandbox-vmm")]
    [InlineData("sandbox-device .vsock.")] // its connections die with it
    public async Task Process_OfTheSandboxKilled_EndsTheRunWithALine(string name)
    {
        CommandResult result = await Leftovers.WatchAsync(
            lab,
            $"$sandbox run -- /bin/sh -c 'echo ready; sleep 600' >/tmp/left.out & for wait in $(seq 400); do grep -q ready /tmp/left.out && break; sleep 0.1; done; pkill -KILL -o -f '^[^ ]*{name}'; wait $!");
        Expect.Failure(result, name.Split(' ')[0]);
    }
}
