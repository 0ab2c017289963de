/* A complete virtio-blk conversation: identify, write sector 1, read sector 0 and 1, flush, all by interrupt. */
#include "disk.h"

void guest_main(const u8 *zero_page)
{
    (void)zero_page;
    enable_interrupt(DEVICE_PIN);
    report("magic", AT32(DEVICE + MAGIC));
    AT32(DEVICE + MAGIC) = 0; /* no driver may write it */
    report("magic-kept", AT32(DEVICE + MAGIC));
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
