using System.Text;
using Sandbox.Boot;
using Sandbox.Boot.Linux;
using Sandbox.Memory;
using static Sandbox.Unit.Tests.Boot.KernelImages;

namespace Sandbox.Unit.Tests.Boot;

public sealed class KernelLoaderTests
{
    private const ulong ZeroPage = 0x7000;

    [Fact]
    public void Load_OfABzImage_EntersItsCodeInLongModeWithAZeroPage()
    {
        using BootGuest guest = new();
        byte[] image = BzImage();
        byte[] initrd = [.. Enumerable.Repeat((byte)0x1D, 5000)];

        Assert.Equal(KernelFault.None, guest.Load(image, initrd, "console=ttyS0 quiet"));

        Assert.Equal(new BootPlan(BootEntry.Linux64, new GuestAddress(0x100_0200), new GuestAddress(ZeroPage)), guest.Plan);
        Assert.All(guest.Read(0x100_0000, 0x1000), value => Assert.Equal(0xB2, value));
        Assert.Equal(0, guest.Read(0x100_1000, 1)[0]);

        // The setup header is the kernel's own, but for what the loader owes it.
        byte[] page = guest.Read(ZeroPage, 4096);
        Assert.Equal(image[BootParams.BootFlag..BootParams.TypeOfLoader], page[BootParams.BootFlag..BootParams.TypeOfLoader]);
        Assert.Equal(0xFF, page[BootParams.TypeOfLoader]);
        Assert.Equal(0, page[BootParams.Sentinel]);
        Assert.Equal(0x2_0000u, guest.Read32(ZeroPage + BootParams.CmdLinePtr));
        Assert.Equal("console=ttyS0 quiet\0", Encoding.ASCII.GetString(guest.Read(0x2_0000, 20)));
        Assert.Equal(0xE_0000UL, guest.Read64(ZeroPage + BootParams.AcpiRsdpAddr));

        ulong ramDisk = guest.Read32(ZeroPage + BootParams.RamdiskImage);
        Assert.Equal(5000u, guest.Read32(ZeroPage + BootParams.RamdiskSize));
        Assert.Equal(0x200_0000UL - 0x2000, ramDisk); // the highest pages of 32 MiB
        Assert.Equal(initrd, guest.Read(ramDisk, 5000));
    }

    [Fact]
    public void Load_OfAnElfKernelWithoutNote_EntersItInLongMode()
    {
        using BootGuest guest = new();

        Assert.Equal(KernelFault.None, guest.Load(Elf()));

        Assert.Equal(new BootPlan(BootEntry.Linux64, new GuestAddress(ElfEntry), new GuestAddress(ZeroPage)), guest.Plan);
        Assert.All(guest.Read(ElfStart, 0x1000), value => Assert.Equal(0xE1, value));
        byte[] page = guest.Read(ZeroPage, 4096);
        Assert.Equal("HdrS"u8.ToArray(), page[BootParams.HeaderMagic..(BootParams.HeaderMagic + 4)]);
        Assert.Equal(0u, guest.Read32(ZeroPage + BootParams.RamdiskSize));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Load_OfAnElfKernelWithPvhNote_EntersItInProtectedMode(int valueBytes)
    {
        using BootGuest guest = new();

        Assert.Equal(KernelFault.None, guest.Load(ElfWithPvhNote(ElfStart + 0x80, valueBytes), new byte[100], "quiet"));

        Assert.Equal(new BootPlan(BootEntry.Pvh, new GuestAddress(ElfStart + 0x80), new GuestAddress(0x6000)), guest.Plan);
        Assert.Equal(0x336E_C578u, guest.Read32(0x6000));
        Assert.Equal(1u, guest.Read32(0x6004));
        Assert.Equal(1u, guest.Read32(0x600C)); // modules
        ulong modules = guest.Read64(0x6010);
        Assert.Equal((0x1FF_F000UL, 100UL), (guest.Read64(modules), guest.Read64(modules + 8)));
        Assert.Equal(0x2_0000UL, guest.Read64(0x6018));
        Assert.Equal(0xE_0000UL, guest.Read64(0x6020));
        ulong map = guest.Read64(0x6028);
        Assert.Equal(3u, guest.Read32(0x6030));
        Assert.Equal((0UL, 0x9_FC00UL, 1u), (guest.Read64(map), guest.Read64(map + 8), guest.Read32(map + 16)));
        Assert.Equal((0x9_FC00UL, 0x6_0400UL, 2u), (guest.Read64(map + 24), guest.Read64(map + 32), guest.Read32(map + 40)));
        Assert.Equal((0x10_0000UL, 0x1F0_0000UL, 1u), (guest.Read64(map + 48), guest.Read64(map + 56), guest.Read32(map + 64)));
    }

    [Fact]
    public void Load_Into4GiB_SplitsMemoryAroundTheHoleAndKeepsTheInitrdBelow2GiB()
    {
        using BootGuest guest = new(4UL << 30);

        Assert.Equal(KernelFault.None, guest.Load(BzImage(), new byte[4096]));

        Assert.Equal(4, guest.Read(ZeroPage + BootParams.E820Entries, 1)[0]);
        ulong third = ZeroPage + BootParams.E820Table + (2 * 20);
        Assert.Equal((0x10_0000UL, 0xC000_0000UL - 0x10_0000UL), (guest.Read64(third), guest.Read64(third + 8)));
        Assert.Equal((0x1_0000_0000UL, 0x4000_0000UL), (guest.Read64(third + 20), guest.Read64(third + 28)));
        Assert.Equal(0x7FFF_F000u, guest.Read32(ZeroPage + BootParams.RamdiskImage));
    }

    [Theory]
    [InlineData(0x0E0_0000, 0x120_0000u)] // fills the room above the kernel
    [InlineData(0x0E0_0001, 0x01F_F000u)] // one byte more: right below it
    [InlineData(0x0F0_0000, 0x010_0000u)]
    public void Load_OfAnInitrd_PrefersTheRoomAboveTheKernel(int lengthBytes, uint expected)
    {
        using BootGuest guest = new();

        Assert.Equal(KernelFault.None, guest.Load(BzImage(), new byte[lengthBytes]));

        Assert.Equal(expected, guest.Read32(ZeroPage + BootParams.RamdiskImage));
    }

    [Fact]
    public void LongModeTables_MapFourGigabytesOneToOne()
    {
        using BootGuest guest = new();
        _ = guest.Load(BzImage());

        foreach (ulong address in new[] { 0UL, 0x7000UL, 0x100_0200UL, 0x4000_0000UL, 0xBFFF_F123UL, 0xFFFF_FFFFUL })
        {
            ulong level4 = guest.Read64(GuestLayout.PageTables.Value + ((address >> 39 & 511) * 8));
            ulong level3 = guest.Read64((level4 & ~0xFFFUL) + ((address >> 30 & 511) * 8));
            ulong level2 = guest.Read64((level3 & ~0xFFFUL) + ((address >> 21 & 511) * 8));
            Assert.Equal((3UL, 3UL, 0x83UL), (level4 & 0xFFF, level3 & 0xFFF, level2 & 0xFFF));
            Assert.Equal(address & ~0x1F_FFFFUL, level2 & ~0xFFFUL);
        }
    }
}
