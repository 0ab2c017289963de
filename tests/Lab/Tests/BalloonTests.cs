using System.Globalization;

namespace Sandbox.Lab.Tests;

/// <summary>What a guest frees is the host's again, as the host counts it.</summary>
[Collection(LabGroup.Name)]
public sealed class BalloonTests(LabHost lab)
{
    // How much the guest fills and frees, in MiB: before and after the death of the balloon's process. Every page of it is faulted in, which is slow where all is emulated.
    private static readonly long[] Filled = [96, 32];

    // A lab host on a busy machine.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>
    /// Twice: by the process that was there from the start, and by the one that took its place when that was killed. The guest's kernel reports free memory
    /// two seconds after it was freed, and only where a whole 2 MiB are free (mm/page_reporting.c).
    /// </summary>
    [Fact]
    public async Task Memory_ThatTheGuestFrees_ReturnsToTheHost()
    {
        string guest = "mkdir /m; mount -t tmpfs -o size=200M m /m; cat /sys/bus/virtio/devices/*/device | sort | tr \"\\n\" \" \"; echo; "
            + $"for size in {Filled[0]} {Filled[1]}; do dd if=/dev/zero of=/m/file bs=1M count=$size 2>/dev/null; echo full $size; read go; rm /m/file; echo freed $size; read go; done; exit 7";
        CommandResult result = await lab.ScriptAsync(
            $$"""
            folder=$(mktemp -d); mkfifo $folder/in
            $sandbox run --balloon --memory 384M -- /bin/sh -c '{{guest}}' <$folder/in >$folder/out & sandbox_pid=$!
            exec 9>$folder/in
            held() { echo $((512 * $(stat -Lc %b /proc/$(pgrep -f '^sandbox-vmm')/fd/5))); } # guest memory (InheritedFds.VmmGuestMemory)
            said() { for wait in $(seq 400); do grep -q "$1" $folder/out && return; sleep 0.1; done; echo NEVER $1; }
            for size in {{Filled[0]}} {{Filled[1]}}; do
                said "full $size"; full=$(held); echo go >&9; said "freed $size"
                for wait in $(seq 150); do left=$(held); [ $left -lt $((full - (size << 19))) ] && break; sleep 0.1; done
                echo $full $left
                [ $size = {{Filled[0]}} ] && { pkill -KILL -f '^sandbox-device .balloon.' || echo NOBODY KILLED; }
                echo go >&9
            done
            exec 9>&-; wait $sandbox_pid; echo code $?; cat $folder/out; rm -r $folder
            """,
            limit: Limit);
        Expect.ExitCode(0, result);
        string[] lines = result.Text.Split('\n');
        // virtio 1.2, section 5: 2 = block, 4 = entropy, 5 = balloon, 19 = socket.
        Assert.Equal(["code 7", "0x0002 0x0004 0x0005 0x0013 ", $"full {Filled[0]}", $"freed {Filled[0]}", $"full {Filled[1]}", $"freed {Filled[1]}"], lines[2..]);
        foreach ((string line, long size) in lines.Zip(Filled))
        {
            long[] bytes = [.. line.Split(' ').Select(static number => long.Parse(number, CultureInfo.InvariantCulture))];
            Assert.True(bytes[0] > size << 20, $"held {bytes[0]} bytes when {size} MiB were full");
            Assert.True(bytes[1] < bytes[0] - (size << 19), $"still {bytes[1]} of {bytes[0]} bytes when {size} MiB were free again");
        }
    }
}
