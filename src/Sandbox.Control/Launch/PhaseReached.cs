namespace Sandbox.Control.Launch;

/// <summary>Milestones of a VMM's start, in their order.</summary>
public enum VmmPhase
{
    /// <summary>Kernel, initial RAM disk and tables are in guest memory.</summary>
    KernelLoaded = 1,

    /// <summary>Every vhost-user backend has answered.</summary>
    DevicesAttached = 2,

    /// <summary>The first vCPU is about to enter the guest for the first time.</summary>
    FirstVcpuRun = 3,
}

/// <summary>A VMM has reached a milestone of its start.</summary>
/// <param name="Phase">Which one.</param>
/// <param name="MonotonicNanoseconds">CLOCK_MONOTONIC when it was reached.</param>
public readonly record struct PhaseReached(VmmPhase Phase, long MonotonicNanoseconds)
{
    public const int FrameBytes = LaunchFrame.HeaderBytes + sizeof(ushort) + sizeof(ulong);

    /// <summary>Writes the whole frame; returns its length, <see cref="FrameBytes"/>.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Phase);
        writer.U64((ulong)MonotonicNanoseconds);
        return LaunchFrame.Finish(frame, LaunchMessageType.Phase, writer.Count);
    }

    public static LaunchFault Decode(ReadOnlySpan<byte> content, out PhaseReached phase)
    {
        LaunchReader reader = new(content);
        phase = new((VmmPhase)reader.U16(), reader.Size(long.MaxValue));
        reader.Require(Enum.IsDefined(phase.Phase));
        return reader.End();
    }
}
