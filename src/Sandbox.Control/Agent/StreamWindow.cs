namespace Sandbox.Control.Agent;

/// <summary>The sender's end of one stream: how many bytes the reader has given leave for.</summary>
public sealed class StreamSendWindow
{
    /// <summary>Bytes that may be sent now.</summary>
    public int AvailableBytes { get; private set; } = AgentLimits.StreamWindowBytes;

    /// <summary>Uses up leave. Sending more than <see cref="AvailableBytes"/> is our own bug.</summary>
    public void Sent(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)AvailableBytes, nameof(bytes));
        AvailableBytes -= bytes;
    }

    /// <summary>Takes the reader's credit. A reader can only give back what was sent.</summary>
    public AgentFault Granted(uint bytes)
    {
        if (bytes == 0 || bytes > (uint)(AgentLimits.StreamWindowBytes - AvailableBytes))
        {
            return AgentFault.CreditExcess;
        }

        AvailableBytes += (int)bytes;
        return AgentFault.None;
    }
}

/// <summary>The reader's end of one stream: holds the sender to the window and saves up credit, so that it is not sent for every few bytes.</summary>
public sealed class StreamReceiveWindow
{
    /// <summary>Credit goes back in lumps of at least this many bytes.</summary>
    public const int CreditLumpBytes = AgentLimits.StreamWindowBytes / 4;

    private int _allowedBytes = AgentLimits.StreamWindowBytes;
    private int _consumedBytes;

    /// <summary>Bytes received that nobody has consumed yet: never above <see cref="AgentLimits.StreamWindowBytes"/>.</summary>
    public int PendingBytes { get; private set; }

    /// <summary>Counts received bytes.</summary>
    public AgentFault Received(int bytes)
    {
        if (bytes < 0 || bytes > _allowedBytes)
        {
            return AgentFault.CreditOverrun;
        }

        _allowedBytes -= bytes;
        PendingBytes += bytes;
        return AgentFault.None;
    }

    /// <summary>Counts bytes that have left our buffers. The credit to send now, or 0 to wait for more.</summary>
    public uint Consumed(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)PendingBytes, nameof(bytes));
        PendingBytes -= bytes;
        _consumedBytes += bytes;
        if (_consumedBytes < CreditLumpBytes)
        {
            return 0;
        }

        int credit = _consumedBytes;
        _allowedBytes += credit;
        _consumedBytes = 0;
        return (uint)credit;
    }
}
