using Sandbox.Control.Launch;

namespace Sandbox.Unit.Tests.Control.Launch;

public sealed class VsockMessageTests
{
    [Fact]
    public void Question_EncodedAndDecoded_IsTheSame()
    {
        byte[] frame = new byte[VsockConnect.FrameBytes];
        Assert.Equal(frame.Length, new VsockConnect(15).Encode(frame));
        Assert.Equal([2, 0, 0, 0, 1, 0, 19, 0, 15, 0], frame);
        Assert.Equal(LaunchFault.None, VsockConnect.Decode(frame.AsSpan(LaunchFrame.HeaderBytes), out VsockConnect read));
        Assert.Equal(15, read.Port);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void Answer_EncodedAndDecoded_IsTheSame(bool connected, byte last)
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        Assert.Equal(frame.Length, new VsockAnswer(3, connected).Encode(frame));
        Assert.Equal([3, 0, 0, 0, 1, 0, 4, 0, 3, 0, last], frame);
        Assert.Equal(LaunchFault.None, VsockAnswer.DecodeFrame(frame, out VsockAnswer read));
        Assert.Equal(new VsockAnswer(3, connected), read);
    }

    [Fact]
    public void Question_CutOrLongerOrBeyondEveryPort_IsRefused()
    {
        Assert.Equal(LaunchFault.Truncated, VsockConnect.Decode([], out _));
        Assert.Equal(LaunchFault.Truncated, VsockConnect.Decode([1], out _));
        Assert.Equal(LaunchFault.TrailingBytes, VsockConnect.Decode([1, 0, 0], out _));
        Assert.Equal(LaunchFault.OutOfRange, VsockConnect.Decode([LaunchLimits.MaxVsockPorts, 0], out _));
        Assert.Equal(LaunchFault.OutOfRange, VsockConnect.Decode([0, 1], out _));
    }

    [Fact]
    public void Answer_CutOrLongerOrOfAnotherType_IsRefused()
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(3, true).Encode(frame);
        for (int length = 0; length < frame.Length; length++)
        {
            Assert.NotEqual(LaunchFault.None, VsockAnswer.DecodeFrame(frame.AsSpan(0, length), out _));
        }

        for (int place = 0; place < LaunchFrame.HeaderBytes; place++)
        {
            byte[] changed = [.. frame];
            changed[place] ^= 1;
            Assert.NotEqual(LaunchFault.None, VsockAnswer.DecodeFrame(changed, out _));
        }

        Assert.NotEqual(LaunchFault.None, VsockAnswer.DecodeFrame([.. frame, 0], out _));
    }

    [Theory]
    [InlineData(8, LaunchLimits.MaxVsockPorts)]
    [InlineData(9, 1)]
    [InlineData(10, 2)]
    public void Answer_BeyondItsRange_IsRefused(int place, byte value)
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(3, true).Encode(frame);
        frame[place] = value;
        Assert.Equal(LaunchFault.OutOfRange, VsockAnswer.DecodeFrame(frame, out _));
    }
}
