namespace Sandbox.Virtio.Vsock;

/// <summary>
/// One direction's flow control (virtio 1.2 §5.10.6.3): how much the sender has sent, and what the receiver last said of its
/// buffer. All counts are modulo 2^32.
/// </summary>
public struct VsockCredit
{
    private uint _sent;
    private uint _bufferBytes;
    private uint _forwarded;

    /// <summary>Bytes that may be sent now. A receiver whose word makes no sense gets none.</summary>
    public readonly uint AvailableBytes
    {
        get
        {
            uint inFlight = unchecked(_sent - _forwarded);
            return inFlight < _bufferBytes ? _bufferBytes - inFlight : 0;
        }
    }

    /// <summary>The receiver's latest word.</summary>
    public void Learn(uint bufferBytes, uint forwarded)
    {
        _bufferBytes = bufferBytes;
        _forwarded = forwarded;
    }

    public void Spend(uint bytes) => _sent = unchecked(_sent + bytes);
}
