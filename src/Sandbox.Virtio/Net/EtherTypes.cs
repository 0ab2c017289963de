namespace Sandbox.Virtio.Net;

/// <summary>Types of Ethernet frames (linux/if_ether.h) that are looked into.</summary>
public static class EtherTypes
{
    public const ushort IPv4 = 0x0800;
    public const ushort IPv6 = 0x86DD;
}
