using System.Buffers.Binary;

namespace Sandbox.Boot;

internal enum ImageFormat
{
    BzImage,
    Elf,
}

/// <summary>Tells what a file is by its first bytes, and for the common mistakes what it is instead.</summary>
internal static class ImageFormats
{
    // Up to the boot flag and "HdrS" of a bzImage.
    private const int SniffBytes = 0x206;

    public static KernelFault Recognise(IBootFile kernel, out ImageFormat format)
    {
        format = default;
        if (kernel.LengthBytes == 0)
        {
            return KernelFault.Empty;
        }

        Span<byte> bytes = stackalloc byte[SniffBytes];
        int length = (int)Math.Min((ulong)SniffBytes, kernel.LengthBytes);
        bytes = bytes[..length];
        if (!kernel.TryRead(0, bytes))
        {
            return KernelFault.Unreadable;
        }

        if (bytes.StartsWith("\u007fELF"u8))
        {
            format = ImageFormat.Elf;
            return KernelFault.None;
        }

        if (length == SniffBytes && BinaryPrimitives.ReadUInt16LittleEndian(bytes[0x1FE..]) == 0xAA55 && bytes[0x202..].SequenceEqual("HdrS"u8))
        {
            format = ImageFormat.BzImage;
            return KernelFault.None;
        }

        return Guess(bytes);
    }

    private static KernelFault Guess(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> gzip = [0x1F, 0x8B];
        ReadOnlySpan<byte> xz = [0xFD, 0x37, 0x7A, 0x58, 0x5A];
        ReadOnlySpan<byte> zstd = [0x28, 0xB5, 0x2F, 0xFD];
        ReadOnlySpan<byte> lz4 = [0x04, 0x22, 0x4D, 0x18];
        ReadOnlySpan<byte> bzip2 = "BZh"u8;
        if (bytes.StartsWith(gzip) || bytes.StartsWith(xz) || bytes.StartsWith(zstd) || bytes.StartsWith(lz4) || bytes.StartsWith(bzip2))
        {
            return KernelFault.Compressed;
        }

        // The first sector of a bzImage begins with "MZ" (it doubles as a PE file) or with the jump of an old boot sector.
        if (bytes.StartsWith("MZ"u8) && bytes.Length < SniffBytes)
        {
            return KernelFault.Truncated;
        }

        foreach (byte value in bytes)
        {
            bool text = value is (>= 0x20 and < 0x7F) or >= 0x80 or (byte)'\n' or (byte)'\r' or (byte)'\t';
            if (!text)
            {
                return KernelFault.NotAKernel;
            }
        }

        return KernelFault.TextFile;
    }
}
