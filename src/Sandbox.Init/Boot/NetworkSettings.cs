using System.Globalization;
using System.Text;
using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>The guest's one interface, as the host says: there is no DHCP client in every root, and none is needed.</summary>
internal static class NetworkSettings
{
    private const string Interface = "eth0"; // the kernel's own name: nobody renames it
    private const string ResolverFile = "/etc/resolv.conf";
    private const int WaitMilliseconds = 5;
    private const int WaitTries = 1000;

    /// <summary>Address, up, default route.</summary>
    public static void SetInterface(GuestNetwork network)
    {
        for (int attempt = 0; !Directory.Exists("/sys/class/net/" + Interface); attempt++)
        {
            // Its driver may still be probing.
            if (attempt == WaitTries)
            {
                throw new BootException(BootStage.Network, $"interface {Interface}", Errno.ENODEV);
            }

            Thread.Sleep(WaitMilliseconds);
        }

        if (network.Address != 0)
        {
            uint mask = network.PrefixBits == 0 ? 0 : uint.MaxValue << (32 - network.PrefixBits);
            Check(GuestInterface.SetAddress(Interface, network.Address, mask), "set the address of");
        }

        Check(GuestInterface.BringUp(Interface), "bring up");
        if (network.Gateway != 0)
        {
            Check(GuestInterface.AddDefaultRoute(network.Gateway), "set the router of");
        }
    }

    /// <summary>After the root is in place, on its overlay. An image's own file, or its link to a service that does not run here, makes room.</summary>
    public static void WriteNameServers(IEnumerable<uint> servers)
    {
        StringBuilder text = new();
        foreach (uint server in servers)
        {
            text.Append(CultureInfo.InvariantCulture, $"nameserver {server >> 24}.{(server >> 16) & 255}.{(server >> 8) & 255}.{server & 255}\n");
        }

        _ = GuestFiles.MakeDirectory("/etc", 0x1ED /* 0755 */);
        _ = GuestFiles.Unlink(ResolverFile);
        try
        {
            File.WriteAllText(ResolverFile, text.ToString());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BootException(BootStage.Network, $"write {ResolverFile}", Errno.EIO);
        }
    }

    private static void Check(int result, string operation) => BootException.Check(result, BootStage.Network, $"{operation} interface {Interface}");
}
