namespace Sandbox.VhostUser;

/// <summary>The flags word of a header (vhost-user, "Header"): two bits of version, then the two below.</summary>
[Flags]
public enum MessageFlags : uint
{
    None = 0,

    /// <summary>The only version there is, as a number in the two lowest bits.</summary>
    Version1 = 1,

    /// <summary>The upper bit of the version number: never set.</summary>
    VersionHigh = 2,
    Reply = 4,
    NeedReply = 8,
}

/// <summary>The 12 bytes before each payload, in the byte order of the machine.</summary>
/// <param name="Request">What is asked, or for a reply what was asked.</param>
/// <param name="Flags">Version, reply and need-reply.</param>
/// <param name="PayloadBytes">How many payload bytes follow. The peer chose it: held against a limit before anything is read.</param>
public readonly record struct MessageHeader(FrontendRequest Request, MessageFlags Flags, uint PayloadBytes)
{
    public const int SizeBytes = 12;
}
