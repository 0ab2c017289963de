using System.Buffers.Binary;
using Sandbox.Control.Launch;

namespace Sandbox.Fuzz.Targets;

/// <summary>What a row of bytes on a control socket says, read where it lies: nothing is buffered, moved or cut.</summary>
internal sealed class ControlRow
{
    // All that a VMM or a device may say fits into its last word.
    private const int MostContent = 2 + 8 + 2 + 512;

    private readonly byte[] _bytes = new byte[32 * 1024];
    private int _written;
    private int _read;

    public int Room => _bytes.Length - _written;

    /// <summary>How many bytes have gone to the inbox.</summary>
    public int Fed { get; set; }

    public ReadOnlySpan<byte> Unfed => _bytes.AsSpan(Fed, _written - Fed);

    /// <summary>Why there is no next message; none: only because it is not here yet.</summary>
    public LaunchFault Fault { get; set; }

    public void Begin() => (_written, _read, Fed, Fault) = (0, 0, 0, LaunchFault.None);

    public void Say(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_written));
        _written += bytes.Length;
    }

    /// <summary>The next whole message among the bytes that were fed.</summary>
    public bool TryNext(out LaunchMessageType type, out ReadOnlySpan<byte> content)
    {
        type = default;
        content = default;
        ReadOnlySpan<byte> rest = _bytes.AsSpan(_read, Fed - _read);
        if (Fault != LaunchFault.None || rest.Length < 8)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        int version = rest[4] | (rest[5] << 8);
        int number = rest[6] | (rest[7] << 8);
        Fault = length > LaunchLimits.MaxFrameBytes - 8 ? LaunchFault.TooLong
            : version != 1 ? LaunchFault.WrongVersion
            : number is not ((>= 1 and <= 4) or (>= 16 and <= 19)) ? LaunchFault.WrongType
            : length > MostContent ? LaunchFault.TooLong
            : LaunchFault.None;
        if (Fault != LaunchFault.None || rest.Length < 8 + (int)length)
        {
            return false;
        }

        type = (LaunchMessageType)number;
        content = rest.Slice(8, (int)length);
        _read += 8 + (int)length;
        Fault = FaultOf(type, content);
        return Fault == LaunchFault.None;
    }

    // `launch` fuzzes the decoders themselves.
    private static LaunchFault FaultOf(LaunchMessageType type, ReadOnlySpan<byte> content) => type switch
    {
        LaunchMessageType.Ready => Ready.Decode(content, out _),
        LaunchMessageType.Phase => PhaseReached.Decode(content, out _),
        LaunchMessageType.Ended => Ended.Decode(content, out _),
        LaunchMessageType.VsockConnect => VsockConnect.Decode(content, out _),
        _ => LaunchFault.WrongType, // the launcher's own
    };
}
