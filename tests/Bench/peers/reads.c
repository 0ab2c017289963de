/* The counterpart of the block device: reads random 4 KiB blocks of a file, at the places that kernels/micro/blockreads.c asks for, one after
   the other. Prints the nanoseconds. Usage: reads FILE COUNT BLOCKS */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char block[4096];
    if (argc != 4) return 1;
    int fd = open(argv[1], O_RDONLY);
    unsigned count = atoi(argv[2]), blocks = atoi(argv[3]), seed = 1;
    if (fd < 0 || !blocks) return 1;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (unsigned i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        if (pread(fd, block, sizeof block, (off_t)((seed >> 8) % blocks) * sizeof block) != sizeof block) return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld", (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    return 0;
}
