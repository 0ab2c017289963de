/* A disk under load: stamps sectors and reads them back, each request by interrupt, until the sector that says "stop" is not zero.
   Reports how many requests were answered wrongly; a lost answer would make it sleep for ever. */
#include "disk.h"

void guest_main(const u8 *zero_page)
{
    u64 rounds = 0, wrong = 0, *words = (u64 *)data;
    (void)zero_page;
    enable_interrupt(DEVICE_PIN);
    report("status", start_device());
    for (;; rounds++) {
        u64 sector = 1 + rounds % 64;
        u64 stamp = rounds << 8 | 0x5a;
        words[0] = stamp;
        words[63] = ~stamp;
        wrong += transfer(1, sector, 512) != 1 || status != 0;
        words[0] = words[63] = 0;
        wrong += transfer(0, sector, 512) != 513 || status != 0;
        wrong += words[0] != stamp || words[63] != ~stamp;
        if (rounds % 16 == 0) {
            wrong += transfer(0, 0, 512) != 513 || status != 0;
            if (words[0])
                break;
            if (rounds == 0)
                print("running\n");
        }
    }
    report("rounds", rounds);
    report("wrong", wrong);
    power_off();
}
