/* What the micro test guests share: port and memory access, the serial port as their voice, the sleep register as their end.
   They run in ring 0 of a machine without firmware, on one-to-one page tables, interrupts off. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u16 inw(u16 port) { u16 v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 inl(u16 port) { u32 v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

#define AT8(address) (*(volatile u8 *)(u64)(address))
#define AT16(address) (*(volatile u16 *)(u64)(address))
#define AT32(address) (*(volatile u32 *)(u64)(address))
#define AT64(address) (*(volatile u64 *)(u64)(address))

static inline void print(const char *text) { while (*text) outb(0x3f8, *text++); }

static inline void print_hex(u64 value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        if (value >> shift || shift == 0)
            outb(0x3f8, "0123456789abcdef"[value >> shift & 15]);
}

/* One line a finding: the test compares them. */
static inline void report(const char *name, u64 value) { print(name); print("="); print_hex(value); print("\n"); }

/* S5 by the ACPI sleep control register: sleep type 5, sleep enable. */
static inline void power_off(void)
{
    outb(0x600, 5 << 2 | 1 << 5);
    for (;;) __asm__ volatile("hlt");
}

/* rdi of the entry: where the zero page lies. */
void guest_main(const u8 *zero_page);
