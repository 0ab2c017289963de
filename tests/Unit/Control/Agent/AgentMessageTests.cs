using System.Text;
using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Control.Agent;

public sealed class AgentMessageTests
{
    private readonly byte[] _frame = new byte[AgentLimits.MaxFrameBytes];

    [Fact]
    public void Configure_EncodedAndDecoded_IsTheSame()
    {
        byte[] entropy = [.. Enumerable.Range(0, AgentLimits.EntropyBytes).Select(value => (byte)value)];
        ConfigureMessage sent = new("höst", "/dev/vda", "erofs", true, 1_700_000_000_123_456_789, null, entropy);
        Assert.Equal(AgentFault.None, sent.Encode(_frame, out int length));
        Assert.Equal(AgentFault.None, ConfigureMessage.Decode(Body(length), out ConfigureMessage received));
        Assert.Equal(sent with { Entropy = default }, received with { Entropy = default });
        Assert.Equal(entropy, received.Entropy.ToArray());
    }

    [Fact]
    public void Configure_WithANetwork_IsTheSame()
    {
        GuestNetwork network = new(0x0A00020F, 24, 0x0A000202, [0x01010101, 0x08080808]);
        ConfigureMessage sent = new("a", "/dev/vda", "erofs", true, 1, network, new byte[AgentLimits.EntropyBytes]);
        Assert.Equal(AgentFault.None, sent.Encode(_frame, out int length));
        Assert.Equal(AgentFault.None, ConfigureMessage.Decode(Body(length), out ConfigureMessage received));
        Assert.Equal(network with { NameServers = [] }, received.Network! with { NameServers = [] });
        Assert.Equal(network.NameServers, received.Network.NameServers);
    }

    [Theory]
    [InlineData(33, 0)]
    [InlineData(24, 4)]
    public void Configure_WithABadNetwork_IsRefused(byte prefixBits, int nameServers)
    {
        ConfigureMessage sent = new("a", "/dev/vda", "erofs", true, 1, new GuestNetwork(1, prefixBits, 2, new uint[nameServers]), new byte[AgentLimits.EntropyBytes]);
        Assert.Equal(AgentFault.None, sent.Encode(_frame, out int length));
        Assert.Equal(AgentFault.BadValue, ConfigureMessage.Decode(Body(length), out _));
    }

    [Fact]
    public void Exec_EncodedAndDecoded_IsTheSame()
    {
        ExecMessage sent = new(3, ["/bin/sh", "-c", "", "ü\n"], ["A=b", "EMPTY="], "/tmp", true);
        Assert.Equal(AgentFault.None, sent.Encode(_frame, out int length));
        Assert.Equal(AgentFault.None, ExecMessage.Decode(Body(length), out ExecMessage received));
        Assert.Equal(sent.Arguments, received.Arguments);
        Assert.Equal(sent.Environment, received.Environment);
        Assert.Equal((3u, "/tmp", true), (received.Id, received.WorkingDirectory, received.WantInput));
    }

    [Fact]
    public void Exec_LargestLists_FitTheLimitExactly()
    {
        string[] most = [.. Enumerable.Repeat("", AgentLimits.MaxListItems)];
        Assert.Equal(AgentFault.None, new ExecMessage(1, most, most, "/", false).Encode(_frame, out int length));
        Assert.Equal(AgentFault.None, ExecMessage.Decode(Body(length), out ExecMessage received));
        Assert.Equal(AgentLimits.MaxListItems, received.Arguments.Count);

        string longest = new('x', AgentLimits.MaxListBytes - 1);
        Assert.Equal(AgentFault.None, new ExecMessage(1, [longest], [], "/", false).Encode(_frame, out _));
        Assert.Equal(AgentFault.TooLong, new ExecMessage(1, [longest + "x"], [], "/", false).Encode(_frame, out _));
        Assert.Equal(AgentFault.TooManyItems, new ExecMessage(1, [.. most, ""], [], "/", false).Encode(_frame, out _));
        Assert.Equal(AgentFault.TooLong, new ExecMessage(1, [longest], [longest], "/", false).Encode(_frame, out _));
    }

    [Fact]
    public void Exec_ZeroByteInAnArgument_IsNotSent() =>
        Assert.Equal(AgentFault.BadText, new ExecMessage(1, ["a\0b"], [], "/", false).Encode(_frame, out _));

    [Fact]
    public void Exec_ListCountAboveItsItems_IsAFault()
    {
        Assert.Equal(AgentFault.None, new ExecMessage(1, ["a", "b"], [], "/", false).Encode(_frame, out int length));
        int countOffset = AgentLimits.HeaderBytes + 4 + 1 + 1 + 2 + 1;
        Assert.Equal(2, _frame[countOffset]);
        _frame[countOffset] = 3;
        Assert.Equal(AgentFault.BadText, ExecMessage.Decode(Body(length), out _));
    }

    [Fact]
    public void Failed_EncodedAndDecoded_IsTheSame()
    {
        FailedMessage sent = new(BootStage.Overlay, 19, "mount overlay");
        Assert.Equal(AgentFault.None, sent.Encode(_frame, out int length));
        Assert.Equal(AgentFault.None, FailedMessage.Decode(Body(length), out FailedMessage received));
        Assert.Equal(sent, received);
    }

    [Theory]
    [InlineData(new byte[] { 0xC3 }, AgentFault.BadText)] // a character cut in half
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 }, AgentFault.BadText)] // a surrogate
    [InlineData(new byte[] { 0x61, 0x00 }, AgentFault.BadText)]
    [InlineData(new byte[] { 0x61 }, AgentFault.None)]
    public void Failed_Text_MustBeUtf8WithoutZero(byte[] text, AgentFault fault)
    {
        byte[] body = [(byte)BootStage.Mounts, 1, 0, 0, 0, (byte)text.Length, 0, .. text];
        Assert.Equal(fault, FailedMessage.Decode(body, out _));
    }

    [Fact]
    public void Failed_TextLongerThanItsLimit_IsAFaultBeforeItsBytesAreRead()
    {
        byte[] body = [(byte)BootStage.Mounts, 1, 0, 0, 0, 0xFF, 0xFF];
        Assert.Equal(AgentFault.TooLong, FailedMessage.Decode(body, out _));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(11, 0)]
    [InlineData(1, 4096)]
    [InlineData(1, -1)]
    public void Failed_StageOrErrnoOutOfRange_IsAFault(byte stage, int errno)
    {
        byte[] body = [stage, .. BitConverter.GetBytes(errno), 0, 0];
        Assert.Equal(AgentFault.BadValue, FailedMessage.Decode(body, out _));
    }

    [Fact]
    public void Hello_OtherVersion_IsAFault()
    {
        new HelloMessage(AgentLimits.Version + 1).Encode(_frame);
        Assert.Equal(AgentFault.Version, HelloMessage.Decode(Body(AgentLimits.HeaderBytes + 4), out _));
    }

    [Fact]
    public void Data_EncodedAndDecoded_IsTheSame()
    {
        byte[] payload = Encoding.UTF8.GetBytes("some bytes");
        int length = new DataMessage(9, AgentStream.Error, payload).Encode(_frame);
        Assert.Equal(AgentFault.None, DataMessage.Decode(Body(length), out DataMessage received));
        Assert.Equal(payload, received.Bytes.ToArray());
        Assert.Equal((9u, AgentStream.Error), (received.Id, received.Stream));
    }

    [Theory]
    [InlineData(0, 1, AgentFault.BadValue)]
    [InlineData(AgentLimits.MaxDataBytes, 2, AgentFault.None)]
    [InlineData(AgentLimits.MaxDataBytes + 1, 1, AgentFault.TooLong)]
    [InlineData(1, 3, AgentFault.BadValue)]
    [InlineData(1, 257, AgentFault.BadValue)]
    public void Data_LengthAndStream_AreHeldToTheirRange(int bytes, int stream, AgentFault fault)
    {
        byte[] body = [1, 0, 0, 0, .. BitConverter.GetBytes(stream), .. new byte[bytes]];
        Assert.Equal(fault, DataMessage.Decode(body, out _));
    }

    [Theory]
    [InlineData(0, 0, AgentFault.None)]
    [InlineData(255, 0, AgentFault.None)]
    [InlineData(256, 0, AgentFault.BadValue)]
    [InlineData(0, 9, AgentFault.None)]
    [InlineData(0, 65, AgentFault.BadValue)]
    [InlineData(1, 9, AgentFault.BadValue)]
    [InlineData(-1, 0, AgentFault.BadValue)]
    public void Exited_CodeAndSignal_AreHeldToTheirRange(int code, int signal, AgentFault fault)
    {
        byte[] body = [1, 0, 0, 0, .. BitConverter.GetBytes(code), .. BitConverter.GetBytes(signal)];
        Assert.Equal(fault, ExitedMessage.Decode(body, out _));
    }

    [Fact]
    public void Decode_EveryTruncationAndOneByteMore_IsAFault()
    {
        (int Length, Func<ReadOnlyMemory<byte>, AgentFault> Decode)[] messages =
        [
            (new StartedMessage(1).Encode(new byte[64]), body => StartedMessage.Decode(body.Span, out _)),
            (new ExitedMessage(1, 2, 0).Encode(new byte[64]), body => ExitedMessage.Decode(body.Span, out _)),
            (new EndMessage(1, AgentStream.Output).Encode(new byte[64]), body => EndMessage.Decode(body.Span, out _)),
            (new CreditMessage(1, AgentStream.Output, 5).Encode(new byte[64]), body => CreditMessage.Decode(body.Span, out _)),
            (new ReadyMessage(0, 0).Encode(new byte[64]), body => ReadyMessage.Decode(body.Span, out _)),
        ];
        foreach ((int length, Func<ReadOnlyMemory<byte>, AgentFault> decode) in messages)
        {
            int bodyBytes = length - AgentLimits.HeaderBytes;
            for (int cut = 0; cut < bodyBytes; cut++)
            {
                Assert.NotEqual(AgentFault.None, decode(new byte[cut]));
            }

            byte[] longer = new byte[bodyBytes + 1];
            longer[0] = 1;
            Assert.NotEqual(AgentFault.None, decode(longer));
        }
    }

    [Fact]
    public void Decode_RandomBodies_NeverThrow()
    {
        Random random = new(20261123);
        byte[] body = new byte[256];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(body);
            ReadOnlySpan<byte> cut = body.AsSpan(0, random.Next(body.Length));
            _ = HelloMessage.Decode(cut, out _);
            _ = ConfigureMessage.Decode(cut, out _);
            _ = ReadyMessage.Decode(cut, out _);
            _ = FailedMessage.Decode(cut, out _);
            _ = ExecMessage.Decode(cut, out _);
            _ = StartedMessage.Decode(cut, out _);
            _ = ExecFailedMessage.Decode(cut, out _);
            _ = DataMessage.Decode(cut, out _);
            _ = EndMessage.Decode(cut, out _);
            _ = CreditMessage.Decode(cut, out _);
            _ = SignalMessage.Decode(cut, out _);
            _ = ExitedMessage.Decode(cut, out _);
        }
    }

    private ReadOnlySpan<byte> Body(int frameBytes) => _frame.AsSpan(AgentLimits.HeaderBytes, frameBytes - AgentLimits.HeaderBytes);
}
