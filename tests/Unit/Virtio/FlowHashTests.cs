using System.Buffers.Binary;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Virtio;

public sealed class FlowHashTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FlowHash_OfAFrameAndItsAnswer_IsTheSame(bool overIPv6)
    {
        Assert.Equal(FlowHash.Of(Frame(overIPv6, 1, 2, 40000, 80)), FlowHash.Of(Frame(overIPv6, 2, 1, 80, 40000)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FlowHash_OfManyPorts_SpreadsOverEntriesAndPairs(bool overIPv6)
    {
        uint[] hashes = [.. Enumerable.Range(40000, 256).Select(port => FlowHash.Of(Frame(overIPv6, 1, 2, (ushort)port, 80)))];
        Assert.True(hashes.Select(static hash => hash % 1024).Distinct().Count() > 200, "most ports have an entry of their own");
        for (uint pairs = 2; pairs <= 7; pairs++)
        {
            Assert.All(hashes.GroupBy(hash => (hash >> 16) % pairs), group => Assert.InRange((uint)group.Count(), 256 / pairs / 2, 256 / pairs * 2));
            Assert.Equal((int)pairs, hashes.Select(hash => (hash >> 16) % pairs).Distinct().Count());
        }
    }

    [Fact]
    public void FlowHash_OfFragments_LooksAtNoPorts()
    {
        byte[] first = Frame(false, 1, 2, 40000, 80);
        byte[] second = Frame(false, 1, 2, 0x5A5A, 0x1234); // payload where ports would be
        BinaryPrimitives.WriteUInt16BigEndian(first.AsSpan(20), 0x2000);
        BinaryPrimitives.WriteUInt16BigEndian(second.AsSpan(20), 0x00B9);
        Assert.Equal(FlowHash.Of(first), FlowHash.Of(second));
        BinaryPrimitives.WriteUInt16BigEndian(first.AsSpan(20), 0x4000); // "do not fragment" is no fragment
        Assert.Equal(FlowHash.Of(Frame(false, 1, 2, 40000, 80)), FlowHash.Of(first));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FlowHash_OfAFrameCutAnywhere_IsANumber(bool overIPv6)
    {
        byte[] frame = Frame(overIPv6, 1, 2, 40000, 80);
        for (int length = 0; length <= frame.Length; length++)
        {
            _ = FlowHash.Of(frame.AsSpan(0, length));
        }

        frame[14] = 0x4F; // a header that is longer than the frame
        _ = FlowHash.Of(frame);
        Assert.Equal(0u, FlowHash.Of(frame.AsSpan(0, 20)));
    }

    private static byte[] Frame(bool overIPv6, byte source, byte destination, ushort from, ushort to)
    {
        byte[] frame = new byte[overIPv6 ? 74 : 54];
        int ports = overIPv6 ? 54 : 34;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), overIPv6 ? EtherTypes.IPv6 : EtherTypes.IPv4);
        frame[14] = overIPv6 ? (byte)0x60 : (byte)0x45;
        frame[overIPv6 ? 20 : 23] = 6;
        frame[overIPv6 ? 37 : 29] = source;
        frame[overIPv6 ? 53 : 33] = destination;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(ports), from);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(ports + 2), to);
        return frame;
    }
}
