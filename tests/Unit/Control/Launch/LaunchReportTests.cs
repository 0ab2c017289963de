using Sandbox.Control.Launch;
using Xunit;

namespace Sandbox.Unit.Tests.Control.Launch;

public sealed class LaunchReportTests
{
    [Fact]
    public void Ready_EncodedAndDecoded_IsTheSame()
    {
        byte[] frame = new byte[Ready.FrameBytes];
        Assert.Equal(frame.Length, new Ready(123_456_789_012).Encode(frame));
        Assert.Equal(LaunchFault.None, Ready.Decode(frame.AsSpan(LaunchFrame.HeaderBytes), out Ready ready));
        Assert.Equal(123_456_789_012, ready.MonotonicNanoseconds);
    }

    [Fact]
    public void Phase_EncodedAndDecoded_IsTheSame()
    {
        byte[] frame = new byte[PhaseReached.FrameBytes];
        Assert.Equal(frame.Length, new PhaseReached(VmmPhase.FirstVcpuRun, 77).Encode(frame));
        Assert.Equal(LaunchFault.None, PhaseReached.Decode(frame.AsSpan(LaunchFrame.HeaderBytes), out PhaseReached phase));
        Assert.Equal(new PhaseReached(VmmPhase.FirstVcpuRun, 77), phase);
    }

    [Fact]
    public void Ended_EncodedAndDecoded_IsTheSame()
    {
        byte[] frame = new byte[Ended.MaxFrameBytes];
        Ended sent = new(EndReason.KernelRejected, 5, "no boot flag at 0x1FE");
        int length = sent.Encode(frame);
        Assert.Equal(LaunchFault.None, Ended.Decode(frame.AsSpan(LaunchFrame.HeaderBytes, length - LaunchFrame.HeaderBytes), out Ended ended));
        Assert.Equal(sent, ended);
    }

    [Fact]
    public void Ended_LongAndUnprintableText_IsCutAndReplaced()
    {
        byte[] frame = new byte[Ended.MaxFrameBytes];
        int length = new Ended(EndReason.HostFailure, 0, "a\nbü" + new string('x', 1000)).Encode(frame);
        Assert.Equal(frame.Length, length);
        Assert.Equal(LaunchFault.None, Ended.Decode(frame.AsSpan(LaunchFrame.HeaderBytes), out Ended ended));
        Assert.StartsWith("a?b?xxx", ended.Text, StringComparison.Ordinal);
        Assert.Equal(LaunchLimits.MaxEndTextBytes, ended.Text.Length);
    }

    [Fact]
    public void Reports_UnknownPhaseOrReason_AreRefused()
    {
        byte[] phase = [9, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(LaunchFault.OutOfRange, PhaseReached.Decode(phase, out _));
        byte[] ended = [200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(LaunchFault.OutOfRange, Ended.Decode(ended, out _));
    }

    [Theory]
    [InlineData(new byte[] { 8, 0, 0, 0, 1, 0, 16 }, LaunchFault.Truncated)]
    [InlineData(new byte[] { 0xF9, 0xFF, 0, 0, 1, 0, 16, 0 }, LaunchFault.TooLong)]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 16, 0 }, LaunchFault.TooLong)]
    [InlineData(new byte[] { 8, 0, 0, 0, 2, 0, 16, 0 }, LaunchFault.WrongVersion)]
    [InlineData(new byte[] { 8, 0, 0, 0, 1, 0, 99, 0 }, LaunchFault.WrongType)]
    [InlineData(new byte[] { 0xF8, 0xFF, 0, 0, 1, 0, 16, 0 }, LaunchFault.None)]
    public void Header_OfAStranger_IsJudgedBeforeTheContent(byte[] header, LaunchFault expected) =>
        Assert.Equal(expected, LaunchFrame.ReadHeader(header, out _, out _));
}
