/* Wakes every other processor (INIT, SIPI) and counts those that come. The command line names how many there are: one digit. */
#include "guest.h"

#define LOCAL_APIC 0xfee00000
#define TRAMPOLINE 0x8000

extern const u8 trampoline[], trampoline_end[];

/* Real mode at TRAMPOLINE: count, say so, sleep. */
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "trampoline:\n"
        "  xorw %ax, %ax\n"
        "  movw %ax, %ds\n"
        "  lock incw 0x8ff0\n"
        "  cli\n"
        "1: hlt\n"
        "  jmp 1b\n"
        "trampoline_end:\n"
        ".code64\n"
        ".popsection\n");

static void send(u32 apic, u32 command)
{
    AT32(LOCAL_APIC + 0x310) = apic << 24;
    AT32(LOCAL_APIC + 0x300) = command;
    while (AT32(LOCAL_APIC + 0x300) & 1 << 12)
        ;
}

void guest_main(const u8 *zero_page)
{
    u32 count = *(const u8 *)(u64) * (const u32 *)(zero_page + 0x228) - '0';
    for (const u8 *from = trampoline; from < trampoline_end; from++)
        AT8(TRAMPOLINE + (from - trampoline)) = *from;
    AT16(0x8ff0) = 0;
    AT32(LOCAL_APIC + 0xf0) = 0x1ff;
    report("boot-apic", AT32(LOCAL_APIC + 0x20) >> 24);
    for (u32 apic = 1; apic < count; apic++) {
        send(apic, 0x4500); /* INIT, assert */
        send(apic, 0x4600 | TRAMPOLINE >> 12); /* SIPI */
    }
    while (AT16(0x8ff0) != count - 1)
        __asm__ volatile("pause");
    report("woken", AT16(0x8ff0));
    power_off();
}
