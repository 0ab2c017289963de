using System.Globalization;
using Sandbox.Control.Proof;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>
/// All that `sandbox doctor --prove` attempts, attempted in each domain with SELinux as the only wall: every act is refused and the
/// kernel's log names the domain, but for those that SELinux does not see, which are named here with the reason.
/// </summary>
[Collection(EnforcingGroup.Name)]
public sealed class ProbeTests(EnforcingLab lab)
{
    private const string Pair = "s0:c1,c2";
    private const int NotPermitted = 1; // EPERM
    private const int AccessDenied = 13; // EACCES

    /// <summary>Acts that SELinux alone does not refuse in any domain: it has no hook there, or the right is granted. Other walls stand there.</summary>
    private static readonly Dictionary<ForbiddenAct, string> Unseen = new()
    {
        [ForbiddenAct.WatchFiles] = "an inotify instance asks for no right; to watch a file needs its name",
        [ForbiddenAct.OpenPidFd] = "a pidfd asks for no right; every use of it does",
        [ForbiddenAct.OwnSignalsOfFd] = "of an own fd; the right is asked when a signal is sent",
        [ForbiddenAct.Fork] = "granted: threads need the same right",
        [ForbiddenAct.ForkByOldCall] = "granted: threads need the same right",
        [ForbiddenAct.CloneByNewestCall] = "granted: threads need the same right",
        [ForbiddenAct.LoosenSecureBits] = "the kernel asks its capability module alone",
        [ForbiddenAct.BecomeDumpable] = "no hook: of the process itself",
        [ForbiddenAct.SessionKeyring] = "no hook: an empty keyring of its own",
        [ForbiddenAct.SegmentDescriptor] = "no hook: of the process itself",
        [ForbiddenAct.LoosenPersonality] = "no hook: of the process itself; what it would make executable is refused",
        [ForbiddenAct.MakeMemoryFile] = "no hook; to map or execute it is refused",
        [ForbiddenAct.MakeSecretMemory] = "no hook; this kernel has it switched off",
        [ForbiddenAct.LockMemory] = "within the limit no right is asked",
        [ForbiddenAct.LockAllMemory] = "within the limit no right is asked",
        [ForbiddenAct.ResizeGuestMemory] = "granted: to write guest memory; seals refuse it",
        [ForbiddenAct.DuplicateFd] = "no hook: of an own fd",
        [ForbiddenAct.ReplaceFd] = "no hook: of an own fd",
        [ForbiddenAct.ForkBomb] = "amounts are not rights",
        [ForbiddenAct.ExhaustFds] = "amounts are not rights",
        [ForbiddenAct.ExhaustAddressSpace] = "amounts are not rights",
        [ForbiddenAct.ExhaustWithGuestMemory] = "amounts are not rights",
        [ForbiddenAct.EnterAsX32] = "a number that this kernel does not know",
        [ForbiddenAct.EnterAs32Bit] = "the same calls by another entry: getpid asks for no right",
    };

    /// <summary>Granted to device processes: they ask how large guest memory is.</summary>
    private static readonly ForbiddenAct[] GrantedToDevices = [ForbiddenAct.AskFileFlags, ForbiddenAct.AskPendingBytes];

    /// <summary>Granted to the block device: to write its image. The filter has no call for the first, the limit stops the second.</summary>
    private static readonly ForbiddenAct[] GrantedToBlock = [ForbiddenAct.TruncateBacking, ForbiddenAct.WriteBeyondLimit];

    /// <summary>The fd that they would use is not there any more: the exec has put an empty file in its place, or none.</summary>
    private static readonly Dictionary<ForbiddenAct, string> ClosedAtExec = new()
    {
        [ForbiddenAct.EscapeByDirectoryFd] = "{ read } dir",
        [ForbiddenAct.ChangeToDirectoryFd] = "{ read } dir",
        [ForbiddenAct.JoinNamespace] = "{ read } file",
        [ForbiddenAct.TruncateBacking] = "{ read write } file",
        [ForbiddenAct.WriteBeyondLimit] = "{ read write } file",
    };

    [Theory]
    [InlineData("sbx_vmm_t", "vmm")]
    [InlineData("sbx_block_t", "device")]
    [InlineData("sbx_vsock_t", "device")]
    [InlineData("sbx_rng_t", "device")]
    [InlineData("sbx_net_t", "device")]
    [InlineData("sbx_balloon_t", "device")]
    public async Task Domain_TryingAllThatTheProbeTries_IsRefusedBySeLinuxAlone(string type, string role)
    {
        ForbiddenAct[] acts = Enum.GetValues<ForbiddenAct>();
        CommandResult result = await lab.ScriptAsync(
            $$"""
            held() { for wait in $(seq 600); do pid=$(ps -eo pid,label | grep "$1" | sed 's/^ *//' | cut -d' ' -f1); [ "$pid" ] && return; sleep 0.1; done; echo NOBODY HELD; }
            $acts in system_u:system_r:sbx_rng_t:{{Pair}} /opt/sandbox/acts-device -- hold & held sbx_rng_t:{{Pair}}; other=$pid
            $acts in system_u:system_r:sbx_vmm_t:s0:c3,c4 $acts -- hold & held sbx_vmm_t:s0:c3,c4; neighbour=$pid
            /opt/sandbox/prove system_u:system_r:{{type}}:{{Pair}} /opt/sandbox/probe-{{role}} $other $neighbour {{(int)acts[0]}} {{(int)acts[^1]}}
            kill -KILL $other $neighbour
            """);
        Expect.ExitCode(0, result);
        string[] lines = result.Text.Split('\n');
        Assert.Equal(acts.Length, lines.Length);
        Assert.All(acts.Zip(lines), pair => Judge(type, pair.First, pair.Second));
    }

    private static void Judge(string type, ForbiddenAct act, string line)
    {
        string[] words = line.Split('|');
        int answer = int.Parse(words[1], CultureInfo.InvariantCulture);
        string refused = words[2];
        string why = $"{type}, {act}: {line}";
        Assert.Equal((int)act, int.Parse(words[0], CultureInfo.InvariantCulture));
        if (Unseen.ContainsKey(act) || (type != "sbx_vmm_t" && GrantedToDevices.Contains(act)) || (type == "sbx_block_t" && GrantedToBlock.Contains(act)))
        {
            Assert.False(answer is NotPermitted or AccessDenied && refused.Length > 0, "SELinux does see it now, take it off the list: " + why);
        }
        else if (ClosedAtExec.TryGetValue(act, out string? denial))
        {
            Assert.True(answer is > 0 and < ProbeExit.EndOfErrors && words[3].Contains(denial, StringComparison.Ordinal), why);
        }
        else if (act == ForbiddenAct.SignalEverybody)
        {
            // kill(2) says success when everybody was refused.
            Assert.Contains("{ kill } capability", refused, StringComparison.Ordinal);
        }
        else
        {
            Assert.True(answer is NotPermitted or AccessDenied && refused.Length > 0, why);
        }
    }
}
