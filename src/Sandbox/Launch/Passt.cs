using System.Globalization;
using Sandbox.Groups;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>
/// passt(1) of the host: takes a guest's frames and opens ordinary sockets for them. It jails itself (namespaces, empty root, seccomp) and
/// ends when the device process closes its socket, so it lives no longer than the microVM.
/// </summary>
internal static class Passt
{
    private const string Name = "passt";
    private const int SocketFd = 3;
    private const uint FirstUser = 0x7FFF_0000; // behind those of the jail: no account has it
    private const uint UserCount = 0xFFFE;

    /// <summary>Fails early, with the cure, where it is not installed.</summary>
    public static string Find() => HostTool.Find(Name) ?? throw new SandboxException(
        SandboxErrorKind.HostNotReady, "passt is missing and makes the user network of a guest; install it with `apt-get install passt`");

    /// <param name="link">A link of user networking; passt's end is borrowed.</param>
    /// <param name="options">The ports to open.</param>
    /// <param name="group">The microVM's control groups; null: there are none.</param>
    public static async Task<WatchedProcess> StartAsync(NetworkLink link, NetworkOptions options, SandboxGroup? group)
    {
        string tool = Find();
        UserClaim? user = null;
        ChildProcess? child = null;
        using FdHandle executable = SetPriv.Open();
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle errors, FdHandle childErrors) = Pipe.Create();
        using (childErrors)
        {
            try
            {
                user = Environment.IsPrivilegedProcess ? UserClaim.Take(FirstUser, UserCount) : null;
                child = await Spawner.SpawnAsync(new SpawnSpec
                {
                    Executable = executable,
                    Arguments = SetPriv.Arguments(tool, Arguments(options, user?.Number)), // until passt changes its user
                    Fds = [new(0, nothing), new(1, nothing), new(2, childErrors), new(SocketFd, link.Passt!)],
                }).ConfigureAwait(false);
                group?.Add(child);
                return WatchedProcess.Helper(Name, child, errors, user);
            }
            catch (LinuxException failure)
            {
                // Nobody watches it yet.
                _ = child?.Kill(Signals.Kill);
                _ = child?.Wait();
                child?.Dispose();
                errors.Dispose();
                user?.Dispose();
                throw new SandboxException(SandboxErrorKind.HostFailure, $"{Name} could not be started: {failure.Message}", failure);
            }
        }
    }

    /// <summary>Everything but the tool's own name.</summary>
    internal static List<string> Arguments(NetworkOptions options, uint? user)
    {
        List<string> arguments =
        [
            "--foreground", // it stays our child
            "--stderr", "--quiet", // only what it dies of
            "--fd", Number(SocketFd), // the device process's socket, and no other
            "--ipv4-only", // the guest is given no IPv6 address
            "--no-map-gw", // its default leads the gateway's address to the host's own loopback
            "--address", NetworkLink.UserAddress, "--netmask", "255.255.255.0", "--gateway", NetworkLink.UserGateway,
            "--no-ndp", "--no-ra", "--no-dhcpv6", // nothing of IPv6 answers
            "--udp-ports", "none",
        ];
        if (user is not null)
        {
            // Not "nobody", who may have processes of others: a user of its own, so that two of them cannot reach each other.
            arguments.AddRange(["--runas", string.Create(CultureInfo.InvariantCulture, $"{user}:{user}")]);
        }

        foreach (PortForward port in options.Ports)
        {
            arguments.AddRange(["--tcp-ports", string.Create(CultureInfo.InvariantCulture, $"{port.HostAddress}/{port.HostPort}:{port.GuestPort}")]);
        }

        return arguments;
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
