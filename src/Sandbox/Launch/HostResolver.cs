using Sandbox.Control.Agent;

namespace Sandbox.Launch;

/// <summary>The name servers that the host asks. A guest with user networking asks them too.</summary>
internal static class HostResolver
{
    private const byte LoopbackNetwork = 127;

    // systemd-resolved listens on the host's loopback, where no guest gets; the second file names whom it asks.
    private static readonly string[] Files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

    /// <summary>IPv4 addresses beyond the host's loopback; none where the host has none.</summary>
    public static uint[] NameServers()
    {
        foreach (string file in Files)
        {
            uint[] servers = TextFile.TryRead(file) is { } text ? Read(text) : []; // that it is missing or may not be read is as good as no server
            if (servers.Length > 0)
            {
                return servers;
            }
        }

        return [];
    }

    internal static uint[] Read(string resolvConf)
    {
        List<uint> servers = [];
        foreach (string line in resolvConf.Split('\n'))
        {
            string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words is ["nameserver", string text, ..] && AddressText.TryParse(text, out uint address) && address >> 24 is not LoopbackNetwork and not 0)
            {
                servers.Add(address);
            }
        }

        return [.. servers.GetRange(0, Math.Min(servers.Count, AgentLimits.MaxNameServers))];
    }
}
