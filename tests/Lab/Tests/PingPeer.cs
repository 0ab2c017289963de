using System.Buffers.Binary;
using Sandbox.Linux;

namespace Sandbox.Lab.Tests;

/// <summary>The other end of a network device's stream: answers each ICMP echo request (RFC 792), whomever it is for, and nothing else.</summary>
internal sealed class PingPeer : IDisposable
{
    private const int IcmpOffset = 34; // behind Ethernet and an IPv4 header without options
    private readonly FdHandle _network;
    private readonly Thread _thread;

    /// <param name="network">Each frame follows its length; taken over.</param>
    public PingPeer(FdHandle network)
    {
        _network = network;
        _thread = new Thread(Answer) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The device's end must be closed, or the thread waits on.</summary>
    public void Dispose()
    {
        _thread.Join();
        _network.Dispose();
    }

    private void Answer()
    {
        byte[] bytes = new byte[sizeof(uint) + 65536 + 64];
        while (FdIo.ReadFull(_network.Number, bytes.AsSpan(0, sizeof(uint))) == sizeof(uint))
        {
            Span<byte> frame = bytes.AsSpan(sizeof(uint), (int)BinaryPrimitives.ReadUInt32BigEndian(bytes));
            if (FdIo.ReadFull(_network.Number, frame) != frame.Length)
            {
                return;
            }

            if (frame.Length > IcmpOffset + 4 && frame[12..14].SequenceEqual((ReadOnlySpan<byte>)[8, 0]) && frame[23] == 1 && frame[IcmpOffset] == 8)
            {
                Swap(frame, 0, 6, 6);
                Swap(frame, 26, 30, 4);
                frame[IcmpOffset] = 0;
                // One's complement: the sum of what is summed became 0x0800 less.
                int checksum = BinaryPrimitives.ReadUInt16BigEndian(frame[(IcmpOffset + 2)..]) + 0x0800;
                BinaryPrimitives.WriteUInt16BigEndian(frame[(IcmpOffset + 2)..], (ushort)((checksum & 0xFFFF) + (checksum >> 16)));
                if (FdIo.WriteAll(_network.Number, bytes.AsSpan(0, sizeof(uint) + frame.Length)) < 0)
                {
                    return;
                }
            }
        }
    }

    private static void Swap(Span<byte> frame, int first, int second, int count)
    {
        for (int index = 0; index < count; index++)
        {
            (frame[first + index], frame[second + index]) = (frame[second + index], frame[first + index]);
        }
    }
}
