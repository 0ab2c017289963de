// reads FILE N: reads the first 4 KiB of a block device N times, past the page cache. Each is a request of virtio-blk.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char block[4096] __attribute__((aligned(4096)));
    if (argc != 3) return 2;
    int file = open(argv[1], O_RDONLY | O_DIRECT);
    for (long count = strtol(argv[2], NULL, 10); count > 0; count--) {
        if (pread(file, block, sizeof block, 0) <= 0) {
            perror(argv[1]);
            return 1;
        }
    }
    return 0;
}
