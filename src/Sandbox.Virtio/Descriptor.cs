using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Virtio;

/// <summary>struct virtq_desc (virtio 1.2 §2.7.5), copied out of guest memory once; the copy is what is checked and used.</summary>
internal readonly record struct Descriptor(GuestAddress Address, uint LengthBytes, DescriptorFlags Flags, ushort Next)
{
    internal const int SizeBytes = 16;

    /// <summary>Entry <paramref name="index"/> of a table; the caller has checked that it has one.</summary>
    internal static Descriptor Read(GuestSlice table, uint index)
    {
        Span<byte> copy = stackalloc byte[SizeBytes];
        table.CopyTo(index * SizeBytes, copy);
        return new Descriptor(
            new GuestAddress(BinaryPrimitives.ReadUInt64LittleEndian(copy)),
            BinaryPrimitives.ReadUInt32LittleEndian(copy[8..]),
            (DescriptorFlags)BinaryPrimitives.ReadUInt16LittleEndian(copy[12..]),
            BinaryPrimitives.ReadUInt16LittleEndian(copy[14..]));
    }

    internal bool Has(DescriptorFlags flag) => (Flags & flag) != 0;
}

/// <summary>VIRTQ_DESC_F_*. Other bits are ignored, as the specification asks.</summary>
[Flags]
internal enum DescriptorFlags : ushort
{
    None = 0,
    Next = 1,
    Write = 2,
    Indirect = 4,
}
