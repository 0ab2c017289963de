namespace Sandbox.Fuzz.Devices;

/// <summary>One connection as a guest program knows it, from the request or the response that began it.</summary>
internal sealed class VsockTalk(byte serial, uint hostPort)
{
    public byte Serial { get; } = serial;

    public uint HostPort { get; } = hostPort;

    /// <summary>Of the host's, once a byte has shown which.</summary>
    public VsockProgram? Program { get; set; }

    public uint Sent { get; set; }

    /// <summary>Of what was sent: in packets that the device has given back.</summary>
    public uint Taken { get; set; }

    public uint Delivered { get; set; }

    /// <summary>Of what was delivered: read by the guest's program.</summary>
    public uint Consumed { get; set; }

    public uint ForwardedTold { get; set; }

    /// <summary>How far the device may send, by the last word that it has surely heard, and by any that it may have.</summary>
    public uint Leave { get; set; }

    public uint HighestLeave { get; set; }

    public bool Established { get; set; }

    /// <summary>The guest has said that it sends no more.</summary>
    public bool SendsNoMore { get; set; }

    public bool ReceivesNoMore { get; set; }

    /// <summary>The device has heard that it is to send no more.</summary>
    public bool Deaf { get; set; }

    /// <summary>The guest has ended both sides: a reset may come.</summary>
    public bool Closing { get; set; }

    /// <summary>The device knows that no more comes: its program is to read an end.</summary>
    public bool Ended { get; set; }

    /// <summary>The guest did what a driver should not: the device may end it at any time.</summary>
    public bool Spoilt { get; set; }

    /// <summary>It had ended when another asked: what its program has not read may go.</summary>
    public bool MayLose { get; set; }

    /// <summary>The device was the one who asked, and may have given up before the answer.</summary>
    public bool MayBeStale { get; set; }
}
