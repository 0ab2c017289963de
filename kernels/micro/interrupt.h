/* An interrupt descriptor table of one vector, the local APIC and the I/O APIC: for guests that wait for a device. */
#pragma once
#include "guest.h"

#define LOCAL_APIC 0xfee00000
#define IO_APIC 0xfec00000
#define VECTOR 0x40

extern void interrupt_entry(void);
volatile u32 interrupt_count;

__asm__(".text\n"
        "interrupt_entry:\n"
        "  incl interrupt_count(%rip)\n"
        "  pushq %rax\n"
        "  movl $0xfee000b0, %eax\n"
        "  movl $0, (%rax)\n" /* end of interrupt */
        "  popq %rax\n"
        "  iretq\n");

static struct { u16 low, selector; u8 stack, type; u16 middle; u32 high, zero; } idt[VECTOR + 1];

static inline void enable_interrupt(u32 pin)
{
    u64 entry = (u64)interrupt_entry;
    idt[VECTOR].low = entry;
    idt[VECTOR].selector = 0x10;
    idt[VECTOR].type = 0x8e;
    idt[VECTOR].middle = entry >> 16;
    idt[VECTOR].high = entry >> 32;
    struct __attribute__((packed)) { u16 limit; u64 base; } table = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" ::"m"(table));

    AT32(LOCAL_APIC + 0xf0) = 0x1ff; /* enabled, spurious vector 0xff */
    AT32(LOCAL_APIC + 0x80) = 0;
    AT32(IO_APIC) = 0x10 + 2 * pin; /* edge, active high, fixed, to APIC 0 */
    AT32(IO_APIC + 0x10) = VECTOR;
    AT32(IO_APIC) = 0x11 + 2 * pin;
    AT32(IO_APIC + 0x10) = 0;
}

/* Sleeps until one more interrupt has come than before. */
static void wait_interrupt(u32 before)
{
    for (;;) {
        __asm__ volatile("cli");
        if (interrupt_count != before)
            return;
        __asm__ volatile("sti; hlt");
    }
}
