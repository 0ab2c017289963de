namespace Sandbox.Device.Net;

/// <summary>Why a frame went nowhere.</summary>
internal enum NetDrop
{
    /// <summary>Sent: shorter than its headers, longer than the device takes, or with offloads that contradict it.</summary>
    Malformed,

    /// <summary>Sent: from an address that is not the device's.</summary>
    ForeignSource,

    /// <summary>Sent: to an address of the host's own.</summary>
    ForbiddenDestination,

    /// <summary>Received: larger than all buffers that the driver gives, or in a form that it did not agree to.</summary>
    NotReceivable,
}

/// <summary>Counts dropped frames by reason and tells the operator of the first of each.</summary>
internal sealed class NetDrops
{
    private static readonly string[] Lines =
    [
        "a frame of the guest was malformed and dropped",
        "a frame of the guest had another's source address and was dropped",
        "a frame of the guest was for the host's own addresses and was dropped",
        "a frame for the guest did not fit its buffers or features and was dropped",
    ];

    private readonly ulong[] _counts = new ulong[Lines.Length];

    public ulong this[NetDrop reason] => _counts[(int)reason];

    public void Count(NetDrop reason)
    {
        if (_counts[(int)reason]++ == 0)
        {
            DeviceLog.Line(Lines[(int)reason]);
        }
    }
}
