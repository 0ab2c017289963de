/* Reads random 4 KiB blocks from the disk as fast as one driver can: the queue is driven in ring 3, which every host runs at full
   speed, and completions are polled. The command line: "DEPTH COUNT BLOCKS" in hexadecimal. Its moments are marks in a word of guest memory
   that the host watches: 'b' begun, 'e' ended, 'x' ended with errors. (Ring 3 may use no port on some hosts.) */
#define MARK 0x8ff0
#define ENTRIES 128
#include "virtio.h"

#define USER_CODE 0x1b
#define USER_DATA 0x23
#define BLOCK_BYTES 4096
#define MAX_DEPTH 32

static struct { u32 type, reserved; u64 sector; } headers[MAX_DEPTH] __attribute__((aligned(16)));
static u8 blocks[MAX_DEPTH][BLOCK_BYTES] __attribute__((aligned(4096)));
static volatile u8 statuses[MAX_DEPTH];
static u32 depth, count, block_count;

static u32 parse(const u8 **text)
{
    u32 value = 0;
    while (**text == ' ')
        ++*text;
    for (; **text > ' '; ++*text)
        value = value << 4 | (u32)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
    return value;
}

/* The same numbers as the host's loop: a linear congruential generator, its high bits. */
static u32 seed = 1;
static u32 next_block(void)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % block_count;
}

static void prepare(u32 slot)
{
    u16 first = slot * 3;
    headers[slot].type = 0;
    table[first].address = (u64)&headers[slot];
    table[first].length = 16;
    table[first].flags = 1; /* next */
    table[first].next = first + 1;
    table[first + 1].address = (u64)blocks[slot];
    table[first + 1].length = BLOCK_BYTES;
    table[first + 1].flags = 3; /* next, written by the device */
    table[first + 1].next = first + 2;
    table[first + 2].address = (u64)&statuses[slot];
    table[first + 2].length = 1;
    table[first + 2].flags = 2;
}

static void post(u32 slot)
{
    headers[slot].sector = (u64)next_block() * (BLOCK_BYTES / 512);
    available.ring[available.index % ENTRIES] = slot * 3;
    __asm__ volatile("" ::: "memory");
    available.index++;
}

/* Tells the device, unless it has said that it is looking anyway. */
static void notify(void)
{
    __asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
    if (!(used.flags & 1))
        AT32(DEVICE + NOTIFY) = 0;
}

/* Ring 3, interrupts off: nothing in here needs a kernel. */
static void load(void)
{
    u16 seen = 0;
    u32 posted = 0, done = 0, failed = 0;
    AT32(MARK) = 'b';
    for (; posted < depth && posted < count; posted++)
        post(posted);
    notify();
    while (done < count) {
        while (used.index == seen)
            __asm__ volatile("pause");
        for (; used.index != seen; seen++, done++) {
            u32 slot = used.ring[seen % ENTRIES].id / 3;
            failed += statuses[slot] != 0;
            if (posted < count) {
                post(slot);
                posted++;
            }
        }
        notify();
    }
    AT32(MARK) = failed ? 'x' : 'e';
    for (;;)
        __asm__ volatile("pause");
}

/* One-to-one tables for the first 4 GiB that ring 3 may use, and segments for it. */
static u64 level4[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));
static u64 level2[4][512] __attribute__((aligned(4096)));
static u64 segments[5] = {0, 0, 0x00af9a000000ffff, 0x00affa000000ffff, 0x00cff2000000ffff};

static void enter_ring3(void)
{
    for (u64 gib = 0; gib < 4; gib++) {
        for (u64 place = 0; place < 512; place++)
            level2[gib][place] = gib << 30 | place << 21 | 0x87; /* present, writable, user, 2 MiB */
        level3[gib] = (u64)level2[gib] | 7;
    }
    level4[0] = (u64)level3 | 7;
    __asm__ volatile("movq %0, %%cr3" ::"r"(level4) : "memory");
    struct __attribute__((packed)) { u16 limit; u64 base; } gdt = {sizeof segments - 1, (u64)segments};
    static u8 stack[4096] __attribute__((aligned(16)));
    __asm__ volatile("lgdt %0\n"
                     "pushq %1\n"
                     "pushq %2\n"
                     "pushq $2\n"
                     "pushq %3\n"
                     "pushq %4\n"
                     "iretq\n" ::"m"(gdt), "i"(USER_DATA), "r"(stack + sizeof stack - 8), "i"(USER_CODE), "r"(load));
    __builtin_unreachable();
}

void guest_main(const u8 *zero_page)
{
    const u8 *text = (const u8 *)(u64) * (const u32 *)(zero_page + 0x228);
    depth = parse(&text);
    count = parse(&text);
    block_count = parse(&text);
    start_device();
    available.flags = 1; /* no interrupts: completions are polled */
    for (u32 slot = 0; slot < depth; slot++)
        prepare(slot);
    enter_ring3();
}
