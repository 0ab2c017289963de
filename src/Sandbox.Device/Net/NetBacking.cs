using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>The other end of the guest's cable. It holds one received frame at a time, and gives the room in which a frame to be sent is built and judged: the guest cannot change it there.</summary>
internal abstract class NetBacking(int fd)
{
    /// <summary>Ethernet, a VLAN tag and the largest IP packet: more no frame has.</summary>
    internal const int MaxFrameBytes = 14 + 4 + 65535;

    /// <summary>Watched while the device waits for it.</summary>
    public int Fd => fd;

    /// <summary>Offloads that this backing can take and give, beside what the device does itself.</summary>
    public abstract ulong Offloads { get; }

    /// <summary>The header of the received frame; valid while there is one.</summary>
    public abstract NetHeader Header { get; }

    /// <summary>The received frame; empty when there is none. Writable: a checksum may have to be completed.</summary>
    public abstract Span<byte> Frame { get; }

    /// <summary>A frame is there, or has just been received. False: nothing until the fd is readable.</summary>
    public abstract bool TryReceive();

    /// <summary>The received frame's checksum is in its place: its header asks for it no longer.</summary>
    public virtual void ChecksumCompleted()
    {
    }

    /// <summary>The received frame is done with.</summary>
    public abstract void Next();

    /// <summary>Where the next frame to be sent is built: <see cref="MaxFrameBytes"/> long, or empty until the fd is writable.</summary>
    public abstract Span<byte> Room { get; }

    /// <summary>Sends what was built in <see cref="Room"/>, perhaps only with the next <see cref="Flush"/>.</summary>
    public abstract void Send(in NetHeader header, int frameBytes);

    /// <summary>Hands over what waits. True: everything has gone; false: the rest goes when the fd is writable.</summary>
    public abstract bool Flush();
}
