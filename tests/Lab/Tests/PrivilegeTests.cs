namespace Sandbox.Lab.Tests;

/// <summary>Who may run `sandbox run`, and what of the host it can do without.</summary>
[Collection(LabGroup.Name)]
public sealed class PrivilegeTests(LabHost lab)
{
    // The clone may lie in a folder that is closed to others, and the device node may be.
    internal const string OpenToAll =
        "bin=$(dirname $sandbox); rm -rf /tmp/everybody; mkdir /tmp/everybody; cp -r $bin $bin/../share /tmp/everybody; mode=$(stat -c %a /dev/kvm); chmod 666 /dev/kvm; ";

    internal const string Closed = "code=$?; chmod $mode /dev/kvm; rm -rf /tmp/everybody; exit $code";
    internal const string AsNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/tmp /tmp/everybody/bin/sandbox ";

    private const string NoUserNamespaces = "limit=$(cat /proc/sys/user/max_user_namespaces); echo 0 >/proc/sys/user/max_user_namespaces; ";
    private const string UserNamespacesAgain = "code=$?; echo $limit >/proc/sys/user/max_user_namespaces; (exit $code); ";

    [Fact]
    public async Task OrdinaryUser_WithKvm_RunsAGuest()
    {
        CommandResult result = await lab.ScriptAsync(OpenToAll + AsNobody + "run -- /bin/sh -c 'id -u; exit 5'; " + Closed);
        Expect.ExitCode(5, result);
        Expect.Text("0", result);
    }

    [Fact]
    public async Task OrdinaryUser_NoUserNamespaces_IsToldTheCure()
    {
        CommandResult result = await lab.ScriptAsync(OpenToAll + NoUserNamespaces + AsNobody + "run -- /bin/true; " + UserNamespacesAgain + Closed);
        Expect.Failure(result, "Unshare", "user.max_user_namespaces");
    }

    [Fact]
    public async Task Root_NoUserNamespaces_RunsAGuestBehindTheOtherWalls()
    {
        CommandResult result = await lab.ScriptAsync(NoUserNamespaces + "$sandbox run -- /bin/sh -c 'exit 9'; " + UserNamespacesAgain);
        Expect.ExitCode(9, result);
    }
}
