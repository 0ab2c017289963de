using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>The commands of the control queue (virtio 1.2 §5.1.6.5), judged on a copy. One is served: how many pairs of queues the driver uses (§5.1.6.5.5).</summary>
public static class NetControl
{
    /// <summary>Class, command and the number of pairs. A driver that sends another length means something else.</summary>
    public const int CommandBytes = 4;

    public const byte Ok = 0; // VIRTIO_NET_OK
    public const byte Error = 1; // VIRTIO_NET_ERR

    private const byte MultiQueueClass = 4; // VIRTIO_NET_CTRL_MQ
    private const byte SetPairs = 0; // VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET

    /// <summary>Writes the command, as a driver does.</summary>
    public static void WriteSetPairs(Span<byte> command, ushort pairs)
    {
        command[0] = MultiQueueClass;
        command[1] = SetPairs;
        BinaryPrimitives.WriteUInt16LittleEndian(command[2..], pairs);
    }

    /// <summary>False: the command is to be answered <see cref="Error"/>.</summary>
    /// <param name="command">All of its device-readable bytes.</param>
    /// <param name="maxPairs">What max_virtqueue_pairs says.</param>
    /// <param name="pairs">1 to <paramref name="maxPairs"/>.</param>
    public static bool TryReadSetPairs(ReadOnlySpan<byte> command, int maxPairs, out int pairs)
    {
        pairs = 0;
        if (command.Length != CommandBytes || command[0] != MultiQueueClass || command[1] != SetPairs)
        {
            return false;
        }

        pairs = BinaryPrimitives.ReadUInt16LittleEndian(command[2..]);
        return pairs >= 1 && pairs <= maxPairs;
    }
}
