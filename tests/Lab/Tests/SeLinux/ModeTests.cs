namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>auto, required, off, and a level that somebody else deals out.</summary>
[Collection(EnforcingGroup.Name)]
public sealed class ModeTests(EnforcingLab lab)
{
    [Fact]
    public async Task Auto_UnderAPolicyThatKnowsSandbox_Labels()
    {
        CommandResult result = await lab.ScriptAsync("$sandbox run --selinux-level s0:c7,c8 --timing -- /bin/true 2>&1 | grep SELinux; denials");
        Assert.Matches("^sandbox: SELinux +s0:c7,c8, enforcing$", result.Text);
    }

    [Fact]
    public async Task Level_ThatAProcessHas_IsRefused()
    {
        CommandResult result = await lab.ScriptAsync(
            "$acts in system_u:system_r:sbx_vmm_t:s0:c21,c22 $acts -- hold & disown; for wait in $(seq 50); do ps -eo label | grep -q c21,c22 && break; sleep 0.1; done; "
            + "$sandbox run --selinux-level s0:c21,c22 -- /bin/true; code=$?; pkill -KILL acts-vmm; exit $code");
        Expect.Failure(result, "s0:c21,c22", "in use");
    }

    [Fact]
    public async Task Required_OnAPermissiveHost_IsRefused()
    {
        CommandResult result = await lab.ScriptAsync("setenforce 0; $sandbox run --selinux=required -- /bin/true; code=$?; setenforce 1; exit $code");
        Expect.Failure(result, "permissive", "setenforce 1");
    }

    /// <summary>Without labels the jail stage would have to run the exes in its own domain, which the policy does not let it.</summary>
    [Fact]
    public async Task Off_FromTheConfinedLauncher_IsRefusedByThePolicy()
    {
        CommandResult result = await lab.ScriptAsync("$sandbox run --selinux=off -- /bin/true; code=$?; denials | grep -o 'execute_no_trans.*sbx_jail_t.*sbx_vmm_exec_t' | head -c 16; exit $code");
        Expect.ExitCode(125, result);
        Assert.True(result.Text == "execute_no_trans" && result.Error.Contains("sandbox-vmm", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public async Task Image_ReadOnlyWithoutTheSharedLabel_IsRefusedWithTheCure()
    {
        CommandResult result = await lab.ScriptAsync("cp /opt/sandbox/share/rootfs.erofs /tmp/plain.img; $sandbox run --disk /tmp/plain.img:ro -- /bin/true; code=$?; rm /tmp/plain.img; exit $code");
        Expect.Failure(result, "/tmp/plain.img", "chcon -t sbx_image_ro_t");
    }

    [Fact]
    public async Task Doctor_OnThisHost_SaysThatItEnforces()
    {
        CommandResult result = await lab.ScriptAsync("$sandbox doctor | grep ^SELinux");
        Assert.Matches("^SELinux +ok +enforcing; the policy knows Sandbox", result.Text);
    }
}
