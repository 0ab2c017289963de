/* Addresses without memory, and memory right up to its end. The command line names the size: "mem=HEX". */
#include "guest.h"

static u64 parse_size(const u8 *text)
{
    u64 size = 0;
    for (text += 4; *text; text++)
        size = size << 4 | (u64)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return size;
}

void guest_main(const u8 *zero_page)
{
    u64 size = parse_size((const u8 *)(u64) * (const u32 *)(zero_page + 0x228));
    report("hole-8", AT8(0xe0000000));
    report("hole-16", AT16(0xe0000000));
    report("hole-32", AT32(0xe0000000));
    report("hole-64", AT64(0xe0000000));
    AT32(0xe0000000) = 1;
    report("hole-after-write", AT32(0xe0000000));

    AT64(size - 8) = 0x1122334455667788;
    report("last-word", AT64(size - 8));
    report("beyond", AT64(size));
    power_off();
}
