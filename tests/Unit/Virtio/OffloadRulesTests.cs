using System.Buffers.Binary;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Virtio;

public sealed class OffloadRulesTests
{
    private const ulong All =
        NetFeatureBits.Checksum | NetFeatureBits.HostTso4 | NetFeatureBits.HostTso6 | NetFeatureBits.HostEcn;

    private static readonly NetHeader Checksum = new(NetHeaderFlags.NeedsChecksum, NetSegmentation.None, 0, 0, 34, 16, 0);
    private static readonly NetHeader Segment4 = new(NetHeaderFlags.NeedsChecksum, NetSegmentation.Tcp4, 54, 1460, 34, 16, 0);

    [Fact]
    public void Checksum_InsideTheFrame_IsHandedOnAlone()
    {
        NetHeader asked = Checksum with { Flags = NetHeaderFlags.NeedsChecksum | NetHeaderFlags.ChecksumValid, HeaderBytes = 9, SegmentBytes = 9, BufferCount = 9 };
        Assert.True(OffloadRules.TryMakeSound(asked, Tcp4(4000), All, out NetHeader sound));
        Assert.Equal(Checksum, sound);
    }

    [Fact]
    public void Nothing_Asked_NothingHandedOn()
    {
        Assert.True(OffloadRules.TryMakeSound(new NetHeader(NetHeaderFlags.ChecksumValid, 0, 1, 2, 3, 4, 5), Tcp4(100), 0, out NetHeader sound));
        Assert.Equal(default, sound);
    }

    [Theory]
    [InlineData(98, 1)] // its last byte is outside
    [InlineData(65535, 65535)]
    [InlineData(13, 16)] // in the Ethernet header
    public void Checksum_OutsideTheFrame_IsRefused(int start, int offset) =>
        Assert.False(OffloadRules.TryMakeSound(Checksum with { ChecksumStart = (ushort)start, ChecksumOffset = (ushort)offset }, Tcp4(100), All, out _));

    [Fact]
    public void Segment_OverIPv4_GetsItsLengthsFromTheFrame()
    {
        Assert.True(OffloadRules.TryMakeSound(Segment4 with { HeaderBytes = 7 }, Tcp4(4000), All, out NetHeader sound));
        Assert.Equal(Segment4, sound);
    }

    [Fact]
    public void Segment_OverIPv6_GetsItsLengthsFromTheFrame()
    {
        byte[] frame = new byte[4000];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherTypes.IPv6);
        frame[14] = 0x60;
        frame[20] = 6; // next header: TCP
        frame[54 + 12] = 0x80; // a TCP header of 32 bytes
        NetHeader asked = new(NetHeaderFlags.NeedsChecksum, NetSegmentation.Tcp6 | NetSegmentation.Ecn, 0, 1440, 54, 16, 0);
        Assert.True(OffloadRules.TryMakeSound(asked, frame, All, out NetHeader sound));
        Assert.Equal(asked with { HeaderBytes = 86 }, sound);
        Assert.False(OffloadRules.TryMakeSound(asked, frame, All & ~NetFeatureBits.HostEcn, out _));
        Assert.False(OffloadRules.TryMakeSound(asked, frame, All & ~NetFeatureBits.HostTso6, out _));
    }

    public static TheoryData<string, NetHeader, byte[]> BadSegments => new()
    {
        { "no checksum", Segment4 with { Flags = NetHeaderFlags.None }, Tcp4(4000) },
        { "segments of nothing", Segment4 with { SegmentBytes = 0 }, Tcp4(4000) },
        { "UDP fragmentation", Segment4 with { Segmentation = (NetSegmentation)3 }, Tcp4(4000) },
        { "both versions", Segment4 with { Segmentation = NetSegmentation.Tcp4 | NetSegmentation.Tcp6 }, Tcp4(4000) },
        { "ECN of nothing", Segment4 with { Segmentation = NetSegmentation.Ecn }, Tcp4(4000) },
        { "the sum begins elsewhere", Segment4 with { ChecksumStart = 30 }, Tcp4(4000) },
        { "the sum lies elsewhere", Segment4 with { ChecksumOffset = 14 }, Tcp4(4000) },
        { "IPv6 in name only", Segment4 with { Segmentation = NetSegmentation.Tcp6 }, Tcp4(4000) },
        { "no payload", Segment4, Tcp4(54) },
        { "TCP header cut", Segment4, Tcp4(50) },
        { "TCP header shorter than it can be", Segment4, With(Tcp4(4000), 46, 0x40) },
        { "TCP options beyond the frame", Segment4, With(Tcp4(60), 46, 0xF0) },
        { "UDP", Segment4, With(Tcp4(4000), 23, 17) },
        { "IP header shorter than it can be", Segment4, With(Tcp4(4000), 14, 0x44) },
        { "IP options", Segment4, With(Tcp4(4000), 14, 0x46) },
        { "version 6 in an IPv4 frame", Segment4, With(Tcp4(4000), 14, 0x65) },
        { "another type", Segment4, With(Tcp4(4000), 12, 0x09) },
        { "nothing", Segment4, [] },
    };

    [Theory]
    [MemberData(nameof(BadSegments), DisableDiscoveryEnumeration = true)]
    public void Segment_ThatContradictsItsFrame_IsRefused(string why, NetHeader asked, byte[] frame) =>
        Assert.False(OffloadRules.TryMakeSound(asked, frame, All, out _), why);

    [Fact]
    public void Segment_WithoutTheFeature_IsRefused()
    {
        Assert.False(OffloadRules.TryMakeSound(Segment4, Tcp4(4000), All & ~NetFeatureBits.HostTso4, out _));
        Assert.False(OffloadRules.TryMakeSound(Segment4, Tcp4(4000), All & ~NetFeatureBits.Checksum, out _));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    public void InternetChecksum_WhenCompleted_SumsToAllOnes(int bytes)
    {
        byte[] frame = Tcp4(bytes);
        new Random(bytes).NextBytes(frame.AsSpan(34));
        frame[50] = 0;
        frame[51] = 0;
        Assert.True(InternetChecksum.TryComplete(frame, 34, 16));
        uint sum = 0;
        for (int index = 34; index < bytes; index += 2)
        {
            sum += (uint)(frame[index] << 8) + (index + 1 < bytes ? frame[index + 1] : 0u);
        }

        Assert.Equal(0xFFFFu, (sum & 0xFFFF) + (sum >> 16));
        Assert.False(InternetChecksum.TryComplete(frame, bytes - 1, 0));
    }

    private static byte[] Tcp4(int bytes)
    {
        byte[] frame = new byte[Math.Max(bytes, 54)];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), EtherTypes.IPv4);
        frame[14] = 0x45;
        frame[23] = 6;
        frame[46] = 0x50; // a TCP header of 20 bytes
        return frame[..bytes];
    }

    private static byte[] With(byte[] frame, int place, byte value)
    {
        frame[place] = value;
        return frame;
    }
}
