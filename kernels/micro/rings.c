/* All that a driver can ask of a VMM: a device started, reset and started again, requests by interrupt, a console, and a second processor
   that disputes serial port and device all the while. Then a disk under load until the sector that says "stop" is not zero. */
#include "disk.h"

#define TRAMPOLINE 0x8000

extern const u8 trampoline[], trampoline_end[];

/* At TRAMPOLINE, from real mode to protected mode: asks for the scratch register and for the device's magic number for ever. */
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "trampoline:\n"
        "  cli\n"
        "  lgdtl %cs:table_register - trampoline\n"
        "  movl %cr0, %eax\n"
        "  orl $1, %eax\n"
        "  movl %eax, %cr0\n"
        "  ljmpl $8, $0x8000 + protected - trampoline\n"
        ".code32\n"
        "protected:\n"
        "  movw $16, %ax\n"
        "  movw %ax, %ds\n"
        "  movw $0x3ff, %dx\n"
        "1: inb %dx, %al\n"
        "  movl 0xd0000000, %eax\n"
        "  jmp 1b\n"
        "segments: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"
        "table_register: .word 23\n"
        "  .long 0x8000 + segments - trampoline\n"
        "trampoline_end:\n"
        ".code64\n"
        ".popsection\n");

static void wake(u32 command)
{
    AT32(LOCAL_APIC + 0x310) = 1 << 24;
    AT32(LOCAL_APIC + 0x300) = command;
    while (AT32(LOCAL_APIC + 0x300) & 1 << 12)
        ;
}

void guest_main(const u8 *zero_page)
{
    u64 wrong = 0;
    (void)zero_page;
    enable_interrupt(DEVICE_PIN);
    for (const u8 *from = trampoline; from < trampoline_end; from++)
        AT8(TRAMPOLINE + (from - trampoline)) = *from;
    wake(0x4500); /* INIT, assert */
    wake(0x4600 | TRAMPOLINE >> 12); /* SIPI */

    for (int round = 0; round < 2; round++) {
        available.index = 0;
        used.index = 0;
        wrong += start_device() != 15;
        wrong += transfer(0, 0, 512) != 513 || status != 0;
    }
    for (int line = 0; line < 6; line++)
        print("a line that two processors dispute\n");
    print("running\n");
    while (!*(u64 *)data)
        wrong += transfer(0, 0, 512) != 513 || status != 0;
    report("wrong", wrong);
    power_off();
}
