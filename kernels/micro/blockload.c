/* A disk under load: stamps sectors and reads them back, each request by interrupt, until the sector that says "stop" is not zero.
   Reports how many requests were answered wrongly; a lost answer would make it sleep for ever. */
#include "virtio.h"

static struct { u32 type, reserved; u64 sector; } request;
static u64 data[512 / 8];
static u8 status;

static u32 transfer(u32 type, u64 sector)
{
    request.type = type;
    request.sector = sector;
    status = 0xff;
    table[0].address = (u64)&request;
    table[0].length = 16;
    table[0].flags = 1; /* next */
    table[0].next = 1;
    table[1].address = (u64)data;
    table[1].length = 512;
    table[1].flags = type == 1 ? 1 : 3; /* next; written by the device unless it is a write */
    table[1].next = 2;
    table[2].address = (u64)&status;
    table[2].length = 1;
    table[2].flags = 2;
    return submit();
}

void guest_main(const u8 *zero_page)
{
    u64 rounds = 0, wrong = 0;
    (void)zero_page;
    enable_interrupt(DEVICE_PIN);
    report("status", start_device());
    for (;; rounds++) {
        u64 sector = 1 + rounds % 64;
        u64 stamp = rounds << 8 | 0x5a;
        data[0] = stamp;
        data[63] = ~stamp;
        wrong += transfer(1, sector) != 1 || status != 0;
        data[0] = data[63] = 0;
        wrong += transfer(0, sector) != 513 || status != 0;
        wrong += data[0] != stamp || data[63] != ~stamp;
        if (rounds % 16 == 0) {
            wrong += transfer(0, 0) != 513 || status != 0;
            if (data[0])
                break;
            if (rounds == 0)
                print("running\n");
        }
    }
    report("rounds", rounds);
    report("wrong", wrong);
    power_off();
}
