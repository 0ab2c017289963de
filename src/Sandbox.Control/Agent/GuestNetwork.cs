namespace Sandbox.Control.Agent;

/// <summary>The guest's interface eth0. Addresses are IPv4, the first byte highest; 0 for none.</summary>
/// <param name="Address">The guest's own; 0 leaves the interface up without one.</param>
/// <param name="PrefixBits">How many leading bits of it are the network's, 0 to 32.</param>
/// <param name="Gateway">The router of everything else.</param>
/// <param name="NameServers">For resolv.conf(5), at most <see cref="AgentLimits.MaxNameServers"/>.</param>
public sealed record GuestNetwork(uint Address, byte PrefixBits, uint Gateway, IReadOnlyList<uint> NameServers)
{
    internal void Write(ref FieldWriter writer)
    {
        writer.UInt32(Address);
        writer.Byte(PrefixBits);
        writer.UInt32(Gateway);
        writer.Byte((byte)NameServers.Count);
        foreach (uint server in NameServers)
        {
            writer.UInt32(server);
        }
    }

    internal static GuestNetwork Read(ref FieldReader reader)
    {
        uint address = reader.UInt32();
        byte prefix = reader.Byte();
        uint gateway = reader.UInt32();
        int count = reader.Byte();
        reader.Require(prefix <= 32 && count <= AgentLimits.MaxNameServers);
        uint[] servers = new uint[reader.Fault == AgentFault.None ? count : 0];
        for (int index = 0; index < servers.Length; index++)
        {
            servers[index] = reader.UInt32();
        }

        return new GuestNetwork(address, prefix, gateway, servers);
    }
}
