/* Port accesses of every width, string instructions, and ports that nobody answers. */
#include "guest.h"

void guest_main(const u8 *zero_page)
{
    (void)zero_page;
    report("pci-address", inl(0xcf8));
    report("unknown-word", inw(0x1234));
    report("unknown-byte", inb(0x1234));
    outl(0x1234, 0xdeadbeef); /* ignored */

    outb(0x3ff, 0x5a); /* scratch register of the serial port */
    report("scratch", inb(0x3ff));
    report("line-status-and-modem-status", inw(0x3fd)); /* a wide access reads neighbours */

    const char text[] = "string output\n";
    const char *from = text;
    u64 count = sizeof text - 1;
    __asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(0x3f8) : "memory");

    static u8 read[8];
    u8 *to = read;
    count = sizeof read;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x3ff) : "memory");
    report("string-input", *(u64 *)read);

    report("keyboard-status", inb(0x64));
    outb(0x70, 0x0a);
    report("clock-update-in-progress", inb(0x71) >> 7);
    power_off();
}
