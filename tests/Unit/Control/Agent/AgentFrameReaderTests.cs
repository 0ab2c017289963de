using System.Buffers.Binary;
using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Control.Agent;

public sealed class AgentFrameReaderTests
{
    [Fact]
    public void TryTake_FrameByteByByte_ComesOutOnceWhole()
    {
        byte[] frame = new byte[64];
        int length = new CreditMessage(7, AgentStream.Error, 1000).Encode(frame);
        AgentFrameReader reader = new();
        for (int index = 0; index < length - 1; index++)
        {
            Feed(reader, frame.AsSpan(index, 1));
            Assert.False(reader.TryTake(out _));
        }

        Feed(reader, frame.AsSpan(length - 1, 1));
        Assert.True(reader.TryTake(out AgentFrame taken));
        Assert.Equal(AgentFault.None, CreditMessage.Decode(taken.Body, out CreditMessage message));
        Assert.Equal(new CreditMessage(7, AgentStream.Error, 1000), message);
        Assert.False(reader.TryTake(out _));
        Assert.Equal(AgentFault.None, reader.EndOfStream());
    }

    [Fact]
    public void TryTake_ManyFramesInOneRead_ComeOutInOrder()
    {
        AgentFrameReader reader = new();
        byte[] frames = new byte[4096];
        int length = 0;
        for (uint id = 1; id <= 100; id++)
        {
            length += new StartedMessage(id).Encode(frames.AsSpan(length));
        }

        Feed(reader, frames.AsSpan(0, length));
        for (uint id = 1; id <= 100; id++)
        {
            Assert.True(reader.TryTake(out AgentFrame frame));
            Assert.Equal(AgentFault.None, StartedMessage.Decode(frame.Body, out StartedMessage message));
            Assert.Equal(id, message.Id);
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(7u)]
    [InlineData(AgentLimits.MaxFrameBytes + 1u)]
    [InlineData(uint.MaxValue)]
    public void TryTake_LengthOutsideLimits_FaultsAtTheHeader(uint length)
    {
        byte[] header = new byte[AgentLimits.HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, length);
        header[4] = (byte)AgentMessageType.Data;
        AgentFrameReader reader = new();
        Feed(reader, header);
        Assert.False(reader.TryTake(out _));
        Assert.Equal(AgentFault.FrameLength, reader.Fault);
    }

    [Theory]
    [InlineData(0, 0, AgentFault.UnknownType)]
    [InlineData(16, 0, AgentFault.UnknownType)]
    [InlineData(ushort.MaxValue, 0, AgentFault.UnknownType)]
    [InlineData(8, 1, AgentFault.ReservedBits)]
    public void TryTake_BadHeader_Faults(ushort type, ushort reserved, AgentFault fault)
    {
        byte[] header = new byte[AgentLimits.HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 100);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(6), reserved);
        AgentFrameReader reader = new();
        Feed(reader, header);
        Assert.False(reader.TryTake(out _));
        Assert.Equal(fault, reader.Fault);
    }

    [Fact]
    public void EndOfStream_InsideAFrame_Faults()
    {
        byte[] frame = new byte[64];
        int length = new StartedMessage(1).Encode(frame);
        AgentFrameReader reader = new();
        Feed(reader, frame.AsSpan(0, length - 1));
        Assert.False(reader.TryTake(out _));
        Assert.Equal(AgentFault.TruncatedFrame, reader.EndOfStream());
    }

    [Fact]
    public void Free_AfterAnUnfinishedLargestFrame_IsNeverEmpty()
    {
        byte[] frame = new byte[AgentLimits.MaxFrameBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, AgentLimits.MaxFrameBytes);
        frame[4] = (byte)AgentMessageType.Data;
        AgentFrameReader reader = new();
        Feed(reader, frame.AsSpan(0, frame.Length - 1));
        Assert.False(reader.TryTake(out _));
        Assert.Equal(1, reader.Free.Length);
        Feed(reader, frame.AsSpan(frame.Length - 1));
        Assert.True(reader.TryTake(out AgentFrame whole));
        Assert.Equal(AgentLimits.MaxFrameBytes - AgentLimits.HeaderBytes, whole.Body.Length);
    }

    private static void Feed(AgentFrameReader reader, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(reader.Free);
        reader.Received(bytes.Length);
    }
}
