using Sandbox.Control.Launch;

namespace Sandbox.Unit.Tests.Control.Launch;

public sealed class DeviceReplacementTests
{
    [Fact]
    public void Frame_EncodedAndDecoded_IsTheSame()
    {
        byte[] frame = new byte[DeviceReplacement.FrameBytes];
        Assert.Equal(frame.Length, new DeviceReplacement(3).Encode(frame));
        Assert.Equal(LaunchFault.None, DeviceReplacement.DecodeFrame(frame, out DeviceReplacement read));
        Assert.Equal(3, read.Place);
    }

    [Fact]
    public void Frame_CutOrLongerOrOfAnotherType_IsRefused()
    {
        byte[] frame = new byte[DeviceReplacement.FrameBytes];
        _ = new DeviceReplacement(3).Encode(frame);
        for (int length = 0; length < frame.Length; length++)
        {
            Assert.NotEqual(LaunchFault.None, DeviceReplacement.DecodeFrame(frame.AsSpan(0, length), out _));
        }

        for (int place = 0; place < LaunchFrame.HeaderBytes; place++)
        {
            byte[] changed = [.. frame];
            changed[place] ^= 4;
            Assert.NotEqual(LaunchFault.None, DeviceReplacement.DecodeFrame(changed, out _));
        }

        Assert.NotEqual(LaunchFault.None, DeviceReplacement.DecodeFrame([.. frame, 0], out _));
    }

    [Fact]
    public void Place_BeyondEveryMachine_IsRefused()
    {
        byte[] frame = new byte[DeviceReplacement.FrameBytes];
        _ = new DeviceReplacement(LaunchLimits.MaxDevices).Encode(frame);
        Assert.Equal(LaunchFault.OutOfRange, DeviceReplacement.DecodeFrame(frame, out _));
    }
}
