/* The serial port's "transmitter empty" interrupt: once when it is enabled, once more for each byte. */
#include "interrupt.h"

void guest_main(const u8 *zero_page)
{
    (void)zero_page;
    enable_interrupt(4);
    u8 idle = inb(0x3fa) & 0xf;
    u32 before = interrupt_count;
    outb(0x3f9, 2);
    wait_interrupt(before);
    u8 cause = inb(0x3fa) & 0xf;
    u8 cause_taken = inb(0x3fa) & 0xf;
    for (int i = 0; i < 3; i++) {
        before = interrupt_count;
        outb(0x3f8, '.');
        wait_interrupt(before);
        inb(0x3fa);
    }
    outb(0x3f9, 0); /* before any more output: each byte would raise it again */
    print("\n");
    report("idle", idle);
    report("cause", cause);
    report("cause-taken", cause_taken);
    report("interrupts", interrupt_count);
    power_off();
}
