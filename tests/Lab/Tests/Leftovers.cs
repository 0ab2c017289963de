namespace Sandbox.Lab.Tests;

/// <summary>Compares the guest host before and after a command: processes, files, mounts, cgroups, kernel objects with a name.</summary>
internal static class Leftovers
{
    private const string Functions =
        """
        # The shells around this script have its text, and with it the name, in their arguments.
        look() {
            pgrep -af sandbox | cut -d' ' -f2- | grep -vE '^(/usr/bin/)?(bash|setsid) ' | sort
            find /tmp /run /var/tmp /dev/shm -mindepth 1 -maxdepth 1 ! -name 'left.*' 2>/dev/null | sort
            cut -d' ' -f4- /proc/self/mountinfo | sort
            find /sys/fs/cgroup -type d | sort
            ls /sys/class/net
        }
        """;

    /// <summary>Runs a script line and fails when it leaves anything behind, two seconds after its end.</summary>
    public static async Task<CommandResult> WatchAsync(LabHost lab, string command, string prepare = ":", string cleanUp = ":", byte[]? input = null)
    {
        // A /tmp of its own: that of the machine is in use by others. The build may lie beneath the machine's.
        CommandResult result = await lab.RunAsync(
            ["unshare", "--mount", "bash", "-c", $$"""
            sandbox={{Product.Exe}}
            mount --bind "$PWD" /mnt && mount -t tmpfs none /tmp && mkdir -p "$PWD" && mount --bind /mnt "$PWD" && umount /mnt && cd "$PWD" || exit 99
            {{Functions}}
            {{prepare}}
            look >/tmp/left.before
            {{command}}
            code=$?
            for wait in $(seq 20); do look >/tmp/left.after; cmp -s /tmp/left.before /tmp/left.after && break; sleep 0.1; done
            {{cleanUp}}
            diff /tmp/left.before /tmp/left.after >/tmp/left.diff || { echo LEFT BEHIND; cat /tmp/left.diff; }
            rm -f /tmp/left.*
            exit $code
            """],
            input);
        Assert.True(!result.Text.Contains("LEFT BEHIND", StringComparison.Ordinal), result.ToString());
        return result;
    }
}
