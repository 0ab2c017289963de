/* A virtio-mmio driver of the shortest kind (virtio 1.2, 4.2): one split queue, one request at a time. */
#pragma once
#include "interrupt.h"

#define DEVICE 0xd0000000
#define DEVICE_PIN 5
#ifndef ENTRIES
#define ENTRIES 8
#endif

enum { MAGIC = 0x00, VERSION = 0x04, ID = 0x08, FEATURES = 0x10, FEATURES_SELECT = 0x14, ACCEPTED = 0x20, ACCEPTED_SELECT = 0x24,
       QUEUE_SELECT = 0x30, QUEUE_MAX = 0x34, QUEUE_SIZE = 0x38, QUEUE_READY = 0x44, NOTIFY = 0x50, INTERRUPT_STATUS = 0x60,
       INTERRUPT_ACK = 0x64, STATUS = 0x70, TABLE = 0x80, AVAILABLE = 0x90, USED = 0xa0, CONFIG = 0x100 };

static struct { u64 address; u32 length; u16 flags, next; } table[ENTRIES] __attribute__((aligned(16)));
static volatile struct { u16 flags, index, ring[ENTRIES]; } available __attribute__((aligned(2)));
static volatile struct { u16 flags, index; struct { u32 id, length; } ring[ENTRIES]; } used __attribute__((aligned(4)));

static void set_address(u32 reg, const volatile void *address)
{
    AT32(DEVICE + reg) = (u64)address;
    AT32(DEVICE + reg + 4) = (u64)address >> 32;
}

/* Brings the device up to DRIVER_OK and returns the status that it then shows. */
static u32 start_device(void)
{
    AT32(DEVICE + STATUS) = 0;
    AT32(DEVICE + STATUS) = 1;
    AT32(DEVICE + STATUS) = 3;
    AT32(DEVICE + ACCEPTED_SELECT) = 1;
    AT32(DEVICE + ACCEPTED) = 1; /* VIRTIO_F_VERSION_1 and nothing else */
    AT32(DEVICE + STATUS) = 11;
    AT32(DEVICE + QUEUE_SELECT) = 0;
    AT32(DEVICE + QUEUE_SIZE) = ENTRIES;
    set_address(TABLE, table);
    set_address(AVAILABLE, &available);
    set_address(USED, &used);
    AT32(DEVICE + QUEUE_READY) = 1;
    AT32(DEVICE + STATUS) = 15;
    return AT32(DEVICE + STATUS);
}

/* Makes the chain at descriptor 0 available, notifies, sleeps until the interrupt; the bytes written by the device. */
static inline u32 submit(void)
{
    u16 index = available.index;
    u32 before = interrupt_count;
    available.ring[index % ENTRIES] = 0;
    __asm__ volatile("" ::: "memory");
    available.index = index + 1;
    __asm__ volatile("mfence" ::: "memory");
    AT32(DEVICE + NOTIFY) = 0;
    while (used.index == index) {
        wait_interrupt(before);
        before = interrupt_count;
    }
    AT32(DEVICE + INTERRUPT_ACK) = AT32(DEVICE + INTERRUPT_STATUS);
    return used.ring[index % ENTRIES].length;
}
