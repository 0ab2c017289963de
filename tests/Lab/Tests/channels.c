// The channels (pairs of queues) of a network interface, as ethtool(8) shows and sets them: busybox cannot. Usage:
// channels INTERFACE       prints "combined N of MAX", and a line with the packets of each queue, for example "rx1 17"
// channels INTERFACE N     sets them
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int ask(int fd, const char *name, void *command)
{
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_data = command;
    if (ioctl(fd, SIOCETHTOOL, &request) == 0)
        return 0;
    perror(name);
    return -1;
}

static int show_packets(int fd, const char *name)
{
    struct { struct ethtool_sset_info info; __u32 count; } sets = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_STATS}};
    if (ask(fd, name, &sets))
        return 1;
    struct ethtool_gstrings *names = calloc(1, sizeof(*names) + (size_t)sets.count * ETH_GSTRING_LEN);
    struct ethtool_stats *stats = calloc(1, sizeof(*stats) + (size_t)sets.count * sizeof(__u64));
    if (!names || !stats)
        return 1;
    *names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = sets.count};
    *stats = (struct ethtool_stats){.cmd = ETHTOOL_GSTATS, .n_stats = sets.count};
    if (ask(fd, name, names) || ask(fd, name, stats))
        return 1;
    for (__u32 index = 0; index < sets.count; index++) {
        char text[ETH_GSTRING_LEN + 1] = {0};
        char way;
        unsigned queue;
        char end;
        memcpy(text, names->data + (size_t)index * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
        // Linux 6.10 has "rx0_packets".
        if ((sscanf(text, "%cx_queue_%u_packet%c", &way, &queue, &end) == 3 || sscanf(text, "%cx%u_packet%c", &way, &queue, &end) == 3) && end == 's')
            printf("%cx%u %llu\n", way, queue, (unsigned long long)stats->data[index]);
    }
    return 0;
}

int main(int count, char **words)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    if (count < 2 || fd < 0 || ask(fd, words[1], &channels))
        return 1;
    if (count > 2) {
        channels.cmd = ETHTOOL_SCHANNELS;
        channels.combined_count = (__u32)atoi(words[2]);
        return ask(fd, words[1], &channels) ? 1 : 0;
    }
    printf("combined %u of %u\n", channels.combined_count, channels.max_combined);
    return show_packets(fd, words[1]);
}
