namespace Sandbox.Labels;

/// <summary>From what is asked for and what the host has to: labels or none, or no start at all.</summary>
internal static class SeLinuxChoice
{
    private const string Install = "install it with `sandbox selinux install`";
    private const string Without = "no labels";

    /// <summary>Null: with labels. Else the reason why there are none.</summary>
    /// <exception cref="SandboxException">They are required, and would not hold.</exception>
    public static string? WhyWithout(SeLinuxMode mode, SeLinuxState host)
    {
        if (mode == SeLinuxMode.Off)
        {
            return host.IsEnabled ? $"{Without}: switched off for this microVM, though the host has SELinux" : $"{Without}: switched off";
        }

        (string Lacks, string Cure)? missing =
            !host.IsEnabled ? ("SELinux is not active on this host", "boot it with security=selinux and a policy")
            : !host.KnowsSandbox ? ("the SELinux policy of this host does not know Sandbox, or not for this user's role", Install)
            : null;
        if (mode == SeLinuxMode.Required)
        {
            missing ??= !host.IsEnforcing ? ("SELinux is permissive on this host: it refuses nothing", "setenforce 1")
                : host.IsPermissiveForUs ? ("the SELinux policy of this host exempts Sandbox's processes (permissive)", "semanage permissive -d sbx_vmm_t")
                : null;
            if (missing is { } unmet)
            {
                throw new SandboxException(SandboxErrorKind.HostNotReady, $"{unmet.Lacks}, and labels are required; {unmet.Cure}");
            }
        }

        return missing is { } absent ? $"{Without}: {absent.Lacks}" : null;
    }
}
