using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Control.Proof;

/// <summary>What a probe shall attempt, and on whom. It reads it from its control socket, in the place of a launch spec.</summary>
public sealed class ProbeOrder
{
    public required ForbiddenAct Act { get; init; }

    public required ProbedProcess Process { get; init; }

    /// <summary>Whether to put on the filter that the real process would be under when its guest runs.</summary>
    public required bool Filtered { get; init; }

    /// <summary>Another process of the same sandbox, by the launcher's number. This one and the next two: to be signalled, traced, read.</summary>
    public int OtherPid { get; init; }

    /// <summary>A process of another sandbox.</summary>
    public int NeighbourPid { get; init; }

    public int LauncherPid { get; init; }

    /// <summary>An address that is mapped in both other processes, or any where it is not known: the right to read is asked first.</summary>
    public ulong Address { get; init; } = 0x1000;

    /// <summary>shmid of a segment of System V shared memory outside that everybody may attach.</summary>
    public int SharedMemoryId { get; init; } = -1;

    /// <summary>TCP port on 127.0.0.1 where somebody listens outside.</summary>
    public ushort Port { get; init; }

    /// <summary>The inherited backing file, or -1.</summary>
    public int BackingFd { get; init; } = -1;

    /// <summary>Its length in bytes, which is the limit for writes.</summary>
    public long BackingBytes { get; init; }

    /// <summary>The inherited memfd of the guest's memory.</summary>
    public int GuestMemoryFd { get; init; } = -1;

    /// <summary>Path of a listening unix socket outside; the same text is an abstract name where somebody listens too.</summary>
    public string SocketPath { get; init; } = "";

    /// <summary>The encoded order, always <see cref="ProbeOrderView.Bytes"/> long.</summary>
    /// <exception cref="ArgumentException">The path is too long for a socket address or not ASCII.</exception>
    public byte[] Encode()
    {
        if (SocketPath.Length > ProbeOrderView.MaxPathBytes || !Ascii.IsValid(SocketPath))
        {
            throw new ArgumentException("The path of the socket is not plain or too long.");
        }

        byte[] bytes = new byte[ProbeOrderView.Bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, ProbeOrderView.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(ProbeOrderView.ActOffset), (ushort)Act);
        bytes[ProbeOrderView.ProcessOffset] = (byte)Process;
        bytes[ProbeOrderView.FilteredOffset] = Filtered ? (byte)1 : (byte)0;
        ReadOnlySpan<long> numbers =
        [
            OtherPid, NeighbourPid, LauncherPid, unchecked((long)Address), SharedMemoryId, Port, BackingFd, BackingBytes, GuestMemoryFd,
        ];
        for (int index = 0; index < numbers.Length; index++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(ProbeOrderView.NumbersOffset + (index * sizeof(long))), numbers[index]);
        }

        _ = Encoding.ASCII.GetBytes(SocketPath, bytes.AsSpan(ProbeOrderView.PathOffset));
        return bytes;
    }
}
