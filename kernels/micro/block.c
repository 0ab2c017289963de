/* A complete virtio-blk conversation: identify, write sector 1, read sector 0 and 1, flush, all by interrupt. */
#include "virtio.h"

static struct { u32 type, reserved; u64 sector; } request;
static u8 data[512], status;

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

void guest_main(const u8 *zero_page)
{
    (void)zero_page;
    enable_interrupt(DEVICE_PIN);
    report("magic", AT32(DEVICE + MAGIC));
    report("version", AT32(DEVICE + VERSION));
    report("id", AT32(DEVICE + ID));
    report("capacity", AT64(DEVICE + CONFIG));
    report("status", start_device());

    report("read-length", transfer(0, 0, 512));
    report("read-status", status);
    report("read-first", *(u64 *)data);

    for (int i = 0; i < 512; i++)
        data[i] = i;
    report("write-length", transfer(1, 1, 512));
    report("write-status", status);
    for (int i = 0; i < 512; i++)
        data[i] = 0;
    transfer(0, 1, 512);
    report("read-back", *(u64 *)(data + 8));

    report("identify-length", transfer(8, 0, 20));
    report("identify", *(u64 *)data);
    transfer(4, 0, 0);
    report("flush-status", status);
    transfer(0, 1UL << 40, 512);
    report("beyond-status", status);
    transfer(99, 0, 512);
    report("unknown-status", status);
    power_off();
}
