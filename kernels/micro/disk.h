/* One request at a time to the disk, by interrupt: the driver of the guests that check what comes back. */
#pragma once
#include "virtio.h"

static struct { u32 type, reserved; u64 sector; } request;
static u8 data[512] __attribute__((aligned(8)));
static u8 status;

static u32 transfer(u32 type, u64 sector, u32 bytes)
{
    request.type = type;
    request.sector = sector;
    status = 0xff;
    table[0].address = (u64)&request;
    table[0].length = 16;
    table[0].flags = 1; /* next */
    table[0].next = bytes ? 1 : 2;
    table[1].address = (u64)data;
    table[1].length = bytes;
    table[1].flags = type == 1 ? 1 : 3; /* next; written by the device unless it is a write */
    table[1].next = 2;
    table[2].address = (u64)&status;
    table[2].length = 1;
    table[2].flags = 2;
    return submit();
}
