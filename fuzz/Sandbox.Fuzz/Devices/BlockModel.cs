using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Devices;

/// <summary>What virtio 1.2 §5.2.6 says must come of a request, worked out on an array: the device on its file must agree.</summary>
internal sealed class BlockModel
{
    public const int Sectors = 64;
    public const int CapacityBytes = Sectors * 512;

    /// <summary>The file goes on behind the disk.</summary>
    public const int FileBytes = CapacityBytes + 8192;

    public const string Serial = "serial-1";

    private const byte Ok = 0;
    private const byte IoError = 1;
    private const byte Unsupported = 2;
    private const byte Canary = 0xC5;

    private readonly bool _readOnly;

    public BlockModel(bool readOnly)
    {
        _readOnly = readOnly;
        for (int index = 0; index < FileBytes; index++)
        {
            File[index] = index < CapacityBytes ? (byte)(index >> 9) : Canary;
        }
    }

    public byte[] File { get; } = new byte[FileBytes];

    public ulong Features { get; set; }

    /// <summary>Compares an answered request with what had to come of it.</summary>
    /// <param name="readable">All device-readable bytes.</param>
    /// <param name="writable">All device-writable bytes after the answer.</param>
    /// <param name="writtenBytes">What the used element says.</param>
    public void Judge(ReadOnlySpan<byte> readable, ReadOnlySpan<byte> writable, uint writtenBytes)
    {
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(readable);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(readable[8..]);
        ReadOnlySpan<byte> data = readable[16..];
        ReadOnlySpan<byte> answer = writable[..^1];
        byte status = writable[^1];
        Reached.Note(40 + (int)Math.Min(type, 20), status);
        byte expected = Expect(type, sector, data, answer.Length, status);
        if (status != expected)
        {
            throw new FindingException($"block: a request of type {type} at sector {sector}, {data.Length} bytes out, {answer.Length} bytes in, was answered {status}; {expected} is right");
        }

        uint written = status != Ok ? 1u : type == 0 ? (uint)answer.Length + 1 : type == 8 ? 21u : 1u;
        if (writtenBytes != written)
        {
            throw new FindingException($"block: the used element of a request of type {type} says {writtenBytes} bytes; {written} is right");
        }

        if (status == Ok && type == 0 && !answer.SequenceEqual(File.AsSpan((int)(sector * 512), answer.Length)))
        {
            throw new FindingException("block: a read gave other bytes than the disk holds");
        }

        if (status == Ok && type == 8 && !answer.StartsWith("serial-1\0\0\0\0\0\0\0\0\0\0\0\0"u8))
        {
            throw new FindingException("block: get-id gave another serial");
        }
    }

    /// <summary>What a request that was done has moved. Zeroes are left out: a file system may have no holes, or nothing but holes, which cost nothing.</summary>
    public static long BytesMoved(ReadOnlySpan<byte> readable, int answerBytes) => BinaryPrimitives.ReadUInt32LittleEndian(readable) switch
    {
        0 => answerBytes,
        1 => readable.Length - 16,
        _ => 0,
    };

    public void CheckFile(ReadOnlySpan<byte> content, bool behaved)
    {
        if (content[CapacityBytes..].ContainsAnyExcept(Canary))
        {
            throw new FindingException("block: bytes behind the end of the disk have changed");
        }

        if ((behaved || _readOnly) && !content[..CapacityBytes].SequenceEqual(File.AsSpan(0, CapacityBytes)))
        {
            throw new FindingException(_readOnly ? "block: a read-only disk has changed" : "block: the file holds other bytes than the writes gave");
        }
    }

    private byte Expect(uint type, ulong sector, ReadOnlySpan<byte> data, int answerBytes, byte actual)
    {
        switch (type)
        {
            case 0:
                return data.IsEmpty && answerBytes % 512 == 0 && Fits(sector, (ulong)answerBytes) ? Ok : IoError;
            case 1:
                if (_readOnly || answerBytes != 0 || data.Length % 512 != 0 || !Fits(sector, (ulong)data.Length))
                {
                    return IoError;
                }

                data.CopyTo(File.AsSpan((int)(sector * 512)));
                return Ok;
            case 4:
                return data.IsEmpty && answerBytes == 0 ? Ok : IoError;
            case 8:
                return data.IsEmpty && answerBytes >= 20 ? Ok : IoError;
            case 11 or 13 when (Features & (1UL << (type == 11 ? 13 : 14))) != 0:
                return _readOnly || answerBytes != 0 || data.IsEmpty || data.Length % 16 != 0 || data.Length > 16 * 16 ? IoError : Clear(type, data, actual);
            default:
                return Unsupported;
        }
    }

    // A list with a bad run changes nothing.
    private byte Clear(uint type, ReadOnlySpan<byte> list, byte actual)
    {
        for (ReadOnlySpan<byte> ranges = list; !ranges.IsEmpty; ranges = ranges[16..])
        {
            (ulong sector, ulong length, uint flags) = Range(ranges);
            if (flags > (type == 13 ? 1u : 0))
            {
                return Unsupported;
            }

            if (!Fits(sector, length))
            {
                return IoError;
            }
        }

        for (ReadOnlySpan<byte> ranges = list; !ranges.IsEmpty; ranges = ranges[16..])
        {
            (ulong sector, ulong length, uint flags) = Range(ranges);
            // Zeroing without a hole: a file system may not have it, and says so.
            if (type == 13 && flags == 0 && actual == Unsupported && length != 0)
            {
                return Unsupported;
            }

            File.AsSpan((int)(sector * 512), (int)length).Clear();
        }

        return Ok;
    }

    private static (ulong Sector, ulong LengthBytes, uint Flags) Range(ReadOnlySpan<byte> range) => (
        BinaryPrimitives.ReadUInt64LittleEndian(range), 512UL * BinaryPrimitives.ReadUInt32LittleEndian(range[8..]), BinaryPrimitives.ReadUInt32LittleEndian(range[12..]));

    private static bool Fits(ulong sector, ulong lengthBytes) => sector <= Sectors && lengthBytes <= CapacityBytes && lengthBytes <= (Sectors - sector) * 512;
}
