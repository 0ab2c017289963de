using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Virtio.Balloon;

/// <summary>The pages that an inflate request names (virtio 1.2 §5.5.6): 32-bit numbers of pages of 4096 bytes, whatever the guest's or the host's own page is.</summary>
public static class PageNumbers
{
    public const uint PageBytes = 4096;

    private const int NumberBytes = sizeof(uint);

    /// <summary>Takes the next of them, as many as there is room for, each read once; less than a whole number at the end names nothing. How many.</summary>
    public static int Take(GuestVector source, Span<GuestAddress> pages)
    {
        ArgumentNullException.ThrowIfNull(source);
        int count = (int)Math.Min((ulong)pages.Length, source.LengthBytes / NumberBytes);
        Span<byte> number = stackalloc byte[NumberBytes];
        for (int index = 0; index < count; index++)
        {
            _ = source.TryTake(number); // there are that many, just counted
            pages[index] = new GuestAddress((ulong)BinaryPrimitives.ReadUInt32LittleEndian(number) * PageBytes);
        }

        return count;
    }
}
