/* Says what the 64-bit entry of the Linux boot protocol was given. */
#include "guest.h"

void guest_main(const u8 *zero_page)
{
    print("command-line=");
    print((const char *)(u64) * (const u32 *)(zero_page + 0x228));
    print("\n");
    report("rsdp", *(const u64 *)(zero_page + 0x70));
    report("ramdisk-bytes", *(const u32 *)(zero_page + 0x21c));
    const u8 *ramdisk = (const u8 *)(u64) * (const u32 *)(zero_page + 0x218);
    report("ramdisk-first", ramdisk ? *ramdisk : 0);
    for (int i = 0; i < zero_page[0x1e8]; i++) {
        const u8 *entry = zero_page + 0x2d0 + i * 20;
        report("start", *(const u64 *)entry);
        report("bytes", *(const u64 *)(entry + 8));
        report("kind", *(const u32 *)(entry + 16));
    }
    u64 flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    report("interrupts-on", flags >> 9 & 1);
    power_off();
}
