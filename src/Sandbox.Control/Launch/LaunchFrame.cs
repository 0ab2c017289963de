using System.Buffers.Binary;

namespace Sandbox.Control.Launch;

/// <summary>
/// The frame around each message: u32 length of the content, u16 version, u16 type, then the content. Little-endian.
/// A receiver reads <see cref="HeaderBytes"/>, asks <see cref="ReadHeader"/> for the length, and only then reads the content.
/// </summary>
public static class LaunchFrame
{
    public const int HeaderBytes = 8;

    public const ushort Version = 1;

    public const int MaxContentBytes = LaunchLimits.MaxFrameBytes - HeaderBytes;

    /// <summary>Checks the eight bytes of a header. On a fault the connection is of no more use.</summary>
    public static LaunchFault ReadHeader(ReadOnlySpan<byte> header, out LaunchMessageType type, out int contentBytes)
    {
        type = default;
        contentBytes = 0;
        if (header.Length < HeaderBytes)
        {
            return LaunchFault.Truncated;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (length > MaxContentBytes)
        {
            return LaunchFault.TooLong;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(header[4..]) != Version)
        {
            return LaunchFault.WrongVersion;
        }

        type = (LaunchMessageType)BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        if (!Enum.IsDefined(type))
        {
            return LaunchFault.WrongType;
        }

        contentBytes = (int)length;
        return LaunchFault.None;
    }

    /// <summary>Checks the header of a frame that was read at once and must be one of this type, <paramref name="frameBytes"/> long.</summary>
    internal static LaunchFault RequireHeader(ReadOnlySpan<byte> frame, LaunchMessageType wanted, int frameBytes)
    {
        LaunchFault fault = ReadHeader(frame, out LaunchMessageType type, out int contentBytes);
        return fault != LaunchFault.None ? fault
            : type != wanted || contentBytes != frameBytes - HeaderBytes ? LaunchFault.WrongType
            : LaunchFault.None;
    }

    /// <summary>Writes the header before content that is already at <paramref name="frame"/>[<see cref="HeaderBytes"/>..]; returns the frame's length.</summary>
    internal static int Finish(Span<byte> frame, LaunchMessageType type, int contentBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)contentBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], (ushort)type);
        return HeaderBytes + contentBytes;
    }
}
