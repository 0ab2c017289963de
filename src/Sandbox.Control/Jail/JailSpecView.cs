using System.Buffers.Binary;

namespace Sandbox.Control.Jail;

/// <summary>
/// A <see cref="JailSpec"/> over the bytes it arrived in. Neither allocates nor throws: the jail stage reads it before the
/// runtime exists. All numbers are little-endian.
/// </summary>
public readonly ref struct JailSpecView
{
    /// <summary>The longest encoding.</summary>
    public const int MaxBytes = 2048;

    /// <summary>argv has at most this many strings.</summary>
    public const int MaxArguments = 16;

    internal const uint Magic = 0x324A5853; // "SXJ2": changes with the layout
    internal const int MagicOffset = 0;
    internal const int LengthOffset = 4;
    internal const int FlagsOffset = 8;
    internal const int UserOffset = 12;
    internal const int GroupOffset = 16;
    internal const int LabelLengthOffset = 20; // bytes of the label with its \0; 0: none
    internal const int FdsOffset = 24; // a bit for each of the numbers 0 to 255
    internal const int LimitsOffset = 56; // five of 64 bits, in the order of the properties
    internal const int HeaderBytes = 96; // then the label, if any, and the arguments, each with its \0
    internal const int MaxLabelBytes = 256;

    internal const uint UserNamespaceFlag = 1;
    internal const uint IdentityFlag = 2;
    internal const uint KeeperFlag = 4;
    internal const uint OverrideFlag = 8;
    internal const uint SmallPagesFlag = 16;
    internal const int GroupCountShift = 8; // in the flags
    internal const uint GroupCountMask = 7;

    private readonly ReadOnlySpan<byte> _bytes;

    private JailSpecView(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public bool UserNamespace => (Get32(FlagsOffset) & UserNamespaceFlag) != 0;

    public bool ChangesIdentity => (Get32(FlagsOffset) & IdentityFlag) != 0;

    public bool KeepsGroups => (Get32(FlagsOffset) & KeeperFlag) != 0;

    public bool OverridesModes => (Get32(FlagsOffset) & OverrideFlag) != 0;

    public bool SmallPages => (Get32(FlagsOffset) & SmallPagesFlag) != 0;

    public int GroupCount => (int)((Get32(FlagsOffset) >> GroupCountShift) & GroupCountMask);

    public uint UserId => Get32(UserOffset);

    public uint GroupId => Get32(GroupOffset);

    public ulong MaxOpenFiles => GetLimit(0);

    public ulong MaxProcesses => GetLimit(1);

    public ulong MaxLockedBytes => GetLimit(2);

    public ulong MaxFileBytes => GetLimit(3);

    public ulong MaxAddressSpaceBytes => GetLimit(4);

    /// <summary>The SELinux label to execute with, a C string with its \0; empty: none is asked for.</summary>
    public ReadOnlySpan<byte> Label => _bytes.Slice(HeaderBytes, LabelBytes);

    /// <summary>argv: C strings one after the other, each with its \0.</summary>
    public ReadOnlySpan<byte> Arguments => _bytes[(HeaderBytes + LabelBytes)..];

    public bool Inherits(int fd) => fd is >= 0 and < JailFds.FirstOfJail && (_bytes[FdsOffset + (fd / 8)] & (1 << (fd % 8))) != 0;

    /// <summary>False when the bytes are no whole spec of this version.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out JailSpecView spec)
    {
        spec = new JailSpecView(bytes);
        return bytes.Length is > HeaderBytes and <= MaxBytes
            && spec.Get32(MagicOffset) == Magic
            && spec.Get32(LengthOffset) == (uint)bytes.Length
            && (spec.Get32(FlagsOffset) & ~(UserNamespaceFlag | IdentityFlag | KeeperFlag | OverrideFlag | SmallPagesFlag | (GroupCountMask << GroupCountShift))) == 0
            && spec.GroupCount <= JailFds.MaxGroups
            && spec.HasWholeLabel
            && bytes[^1] == 0;
    }

    private int LabelBytes => (int)Get32(LabelLengthOffset);

    // Inside the bytes, with something behind it, and one C string.
    private bool HasWholeLabel => Get32(LabelLengthOffset) is var length
        && length <= MaxLabelBytes && length < (uint)(_bytes.Length - HeaderBytes)
        && (length == 0 || _bytes.Slice(HeaderBytes, (int)length).IndexOf((byte)0) == (int)length - 1);

    private uint Get32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[offset..]);

    private ulong GetLimit(int index) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[(LimitsOffset + (index * sizeof(ulong)))..]);
}
