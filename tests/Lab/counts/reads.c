// reads FILE BYTES N: reads the first bytes of a file N times, past the page cache. Of a block device each is a request of virtio-blk; of a virtio
// device's status in sysfs each is a read of that register (virtio 1.2, 4.2.2), an exit to the VMM.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char text[4096] __attribute__((aligned(4096)));
    if (argc != 4) return 2;
    size_t bytes = strtoul(argv[2], NULL, 10);
    int file = open(argv[1], O_RDONLY | (bytes == sizeof text ? O_DIRECT : 0));
    for (long count = strtol(argv[3], NULL, 10); count > 0; count--) {
        if (bytes > sizeof text || pread(file, text, bytes, 0) <= 0) {
            perror(argv[1]);
            return 1;
        }
    }
    return 0;
}
