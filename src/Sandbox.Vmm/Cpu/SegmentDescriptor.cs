using Sandbox.Kvm.Abi;

namespace Sandbox.Vmm.Cpu;

/// <summary>What a processor loads into the hidden part of a segment register from a descriptor (Intel SDM vol. 3A, 3.4.5).</summary>
internal static class SegmentDescriptor
{
    public static kvm_segment Decode(ushort selector, ulong descriptor)
    {
        uint limit = (uint)((descriptor & 0xFFFF) | ((descriptor >> 32) & 0xF_0000));
        bool pages = Bit(descriptor, 55) != 0;
        return new kvm_segment
        {
            @base = ((descriptor >> 16) & 0xFF_FFFF) | ((descriptor >> 32) & 0xFF00_0000),
            limit = pages ? (limit << 12) | 0xFFF : limit,
            selector = selector,
            type = (byte)((descriptor >> 40) & 0xF),
            s = Bit(descriptor, 44),
            dpl = (byte)((descriptor >> 45) & 0x3),
            present = Bit(descriptor, 47),
            avl = Bit(descriptor, 52),
            l = Bit(descriptor, 53),
            db = Bit(descriptor, 54),
            g = Bit(descriptor, 55),
        };
    }

    private static byte Bit(ulong value, int index) => (byte)((value >> index) & 1);
}
