using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Guest;

/// <summary>
/// A guest that rewrites its memory while the device reads it: between any two reads, any byte that is about to be read may change. Replayable,
/// because it happens in the reads themselves and not on a second thread.
/// </summary>
internal sealed class MemoryRewriter(FuzzGuest guest, ulong seed, int oneIn)
{
    private SeededRandom _random = new(seed);

    public void BeforeRead(ulong address, uint lengthBytes)
    {
        if (_random.Below(oneIn) != 0)
        {
            return;
        }

        switch (lengthBytes)
        {
            case sizeof(ushort): // an index, flags, or a ring entry
                guest.Write16(address, (ushort)(_random.Below(3) == 0 ? _random.Below(0x1_0000) : guest.Read16(address) + _random.Below(5) - 2 & 0xFFFF));
                break;
            case 16: // a descriptor, or a header
                RewriteField(address);
                break;
            default:
                Span<byte> value = [(byte)_random.Below(256)];
                guest.Write(address + (ulong)_random.Below((int)Math.Min(lengthBytes, 4096)), value);
                break;
        }
    }

    private void RewriteField(ulong address)
    {
        Span<byte> bytes = stackalloc byte[8];
        _random.Fill(bytes);
        switch (_random.Below(6))
        {
            case 0: // anywhere
                guest.Write(address, bytes);
                break;
            case 1: // near the end of the low region
                BitConverter.TryWriteBytes(bytes, FuzzGuest.LowStart + FuzzGuest.LowBytes - (ulong)_random.Below(4096));
                guest.Write(address, bytes);
                break;
            case 2:
                guest.Write(address + 8, bytes[..4]);
                break;
            case 3: // longer or shorter by a little
                BitConverter.TryWriteBytes(bytes, (uint)_random.Below(0x2_0000));
                guest.Write(address + 8, bytes[..4]);
                break;
            case 4:
                guest.Write16(address + 12, (ushort)_random.Below(8));
                break;
            default:
                guest.Write16(address + 14, (ushort)_random.Below(300));
                break;
        }
    }
}
