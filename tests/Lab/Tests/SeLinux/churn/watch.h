// Sees every process that is executed at a pair of categories, by the kernel's own trace of executions: not now and then, each one.
// A pair is its launcher's, the parent of the process that has it. Prints each pair that two launchers have at a time, or that one
// has while a process of a dead one still does.
#pragma once
#include "proc.h"
#include <sys/mount.h>

#define TRACE "/sys/kernel/tracing/"

enum { CATEGORIES = 1024, MOST_PROCESSES = 4096 };

static struct watched { int pair, owner, process, ended; } living[MOST_PROCESSES];
static int living_count, pairs_seen, pairs_now_most, processes_seen, gone_unseen, twice;
static unsigned char seen[CATEGORIES * CATEGORIES];

static void set(const char *file, const char *text) {
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (long)strlen(text)) die(file);
    close(fd);
}

// Executions and ends of all processes, each a line of text, from now on.
static int open_events(void) {
    if (access(TRACE "trace_pipe", F_OK) != 0 && mount("tracefs", TRACE, "tracefs", 0, 0) != 0) die("tracefs");
    set(TRACE "buffer_size_kb", "8192");
    set(TRACE "trace", "\n"); // empty
    set(TRACE "events/sched/sched_process_exec/enable", "1");
    set(TRACE "events/sched/sched_process_exit/enable", "1");
    int line = open(TRACE "trace_pipe", O_RDONLY | O_CLOEXEC);
    if (line < 0) die("trace_pipe");
    return line;
}

// What the kernel had no room for.
static int lost_events(void) {
    int lost = 0;
    for (int processor = 0; processor < 64; processor++) {
        char path[128], text[64];
        snprintf(path, sizeof path, TRACE "per_cpu/cpu%d/stats", processor);
        FILE *figures = fopen(path, "re");
        if (!figures) break;
        for (int one; fgets(text, sizeof text, figures);) {
            if (sscanf(text, "overrun: %d", &one) == 1 || sscanf(text, "dropped events: %d", &one) == 1) lost += one;
        }
        fclose(figures);
    }
    return lost;
}

static void executed(int process) {
    char name[16], label[TEXT];
    int low, high, owner;
    snprintf(name, sizeof name, "%d", process);
    if (!read_text(name, "attr/current", label, sizeof label)) { gone_unseen++; return; }
    char *type = strstr(label, ":sbx_");
    if (!type || sscanf(type, ":%*[a-z_]:s0:c%d,c%d", &low, &high) != 2) return;
    if (!(owner = living_parent(name))) { gone_unseen++; return; }
    // The end is traced a moment before it is one.
    for (int one = 0; one < living_count; one++) {
        if (living[one].ended && !is_alive(living[one].process)) living[one--] = living[--living_count];
    }
    processes_seen++;
    int pair = low * CATEGORIES + high, now = 1;
    for (int one = 0; one < living_count; one++) {
        struct watched *other = &living[one];
        int first = other->pair != pair;
        for (int before = 0; first && before < one; before++) first = living[before].pair != other->pair;
        now += first;
        // An orphan of a launcher that has just been killed has another parent, but is no other launcher's. And who has died meanwhile has nothing.
        if (other->pair != pair || other->owner == owner || owner == 1 || !is_alive(owner) || !is_alive(other->process)) continue;
        printf("PAIR TWICE c%d,c%d: %d of %d and %d of %d\n", low, high, other->process, other->owner, process, owner);
        twice++;
    }
    if (now > pairs_now_most) pairs_now_most = now;
    if (!seen[pair]) seen[pair] = 1, pairs_seen++;
    if (living_count == MOST_PROCESSES) die("too many processes");
    living[living_count++] = (struct watched){pair, owner, process, 0};
}

static void event(const char *line) {
    int process;
    char *what = strstr(line, ": sched_process_e");
    char *number = what ? strstr(what, " pid=") : 0;
    if (!number || sscanf(number, " pid=%d", &process) != 1) return;
    if (what[sizeof ": sched_process_e" - 1] == 'x' && what[sizeof ": sched_process_ex" - 1] == 'e') { executed(process); return; }
    for (int one = 0; one < living_count; one++) {
        if (living[one].process == process) living[one].ended = 1;
    }
}

static volatile sig_atomic_t told_to_end;
static void tell_to_end(int signal) { told_to_end = signal; }

// Until SIGTERM, and no event is left. 0 when nothing is wrong.
static int watch(int line) {
    struct sigaction action = {.sa_handler = tell_to_end}; // a read that waits ends
    sigaction(SIGTERM, &action, 0);
    char text[16384];
    // A read waits for any event; a poll would wait for a buffer that is half full.
    for (size_t kept = 0;;) {
        if (told_to_end) fcntl(line, F_SETFL, O_NONBLOCK);
        long size = read(line, text + kept, sizeof text - 1 - kept);
        if (size <= 0) {
            if (told_to_end) break;
            if (size < 0 && errno != EINTR) die("read trace");
            continue;
        }
        text[kept + (size_t)size] = 0;
        char *begin = text;
        for (char *end; (end = strchr(begin, '\n')); begin = end + 1) {
            *end = 0;
            event(begin);
        }
        kept = strlen(begin);
        memmove(text, begin, kept + 1);
    }
    int lost = lost_events(), running = 0;
    for (int one = 0; one < living_count; one++) {
        if (!is_alive(living[one].process)) continue;
        printf("STILL RUNS %d at c%d,c%d\n", living[one].process, living[one].pair / CATEGORIES, living[one].pair % CATEGORIES);
        running++;
    }
    set(TRACE "events/sched/sched_process_exec/enable", "0");
    set(TRACE "events/sched/sched_process_exit/enable", "0");
    if (lost) printf("EVENTS LOST %d\n", lost);
    printf("%d pairs, %d at a time, on %d processes, %d gone before a look\n", pairs_seen, pairs_now_most, processes_seen, gone_unseen);
    return twice || lost || running;
}
