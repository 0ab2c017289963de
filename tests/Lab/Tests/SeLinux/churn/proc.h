// What the parts of churn.c share: processes and labels, read from /proc without a program started for it.
#pragma once
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 512 };

static void die(const char *what) { perror(what); exit(99); }

static int read_text(const char *process, const char *file, char *text, size_t size) {
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    long count = read(fd, text, size - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    return 1;
}

// 0 when the process is gone; a zombie has no parent here either: it can do nothing more.
static int living_parent(const char *process) {
    char text[TEXT], state;
    int parent = 0;
    if (!read_text(process, "stat", text, sizeof text)) return 0;
    char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d", &state, &parent) == 2 && state != 'Z' && state != 'X' ? parent : 0;
}

static int is_alive(int process) {
    char name[16];
    snprintf(name, sizeof name, "%d", process);
    return living_parent(name) != 0;
}

// Processes that guest bytes reach, and those on their way there.
static int is_of_a_sandbox(const char *label) {
    static const char *const types[] = {":sbx_vmm_t:", ":sbx_block_t:", ":sbx_vsock_t:", ":sbx_rng_t:", ":sbx_net_t:", ":sbx_jail_t:"};
    for (size_t index = 0; index < sizeof types / sizeof *types; index++) {
        if (strstr(label, types[index])) return 1;
    }
    return 0;
}

static void label_of(const char *path, char label[TEXT]) {
    long size = getxattr(path, "security.selinux", label, TEXT - 1);
    if (size < 0) die(path);
    label[size] = 0;
}

static int has_pair(const char *path) {
    char label[TEXT];
    label_of(path, label);
    return strstr(label, ":s0:c") != 0;
}

// Prints what a sandbox must not leave behind; 0 when there is nothing. Its processes may take a minute to die on a busy machine.
static int nothing_left(void) {
    char label[TEXT], process[300] = "";
    int left = 0;
    for (int wait = 0; wait < 600; wait++) {
        left = 0;
        DIR *folder = opendir("/proc");
        for (struct dirent *entry; (entry = readdir(folder));) {
            if (!isdigit(entry->d_name[0]) || !read_text(entry->d_name, "attr/current", label, sizeof label) || !is_of_a_sandbox(label)) continue;
            snprintf(process, sizeof process, "%s", entry->d_name);
            left = 1;
            break;
        }
        closedir(folder);
        if (!left) break;
        usleep(100000);
    }
    if (left) printf("PROCESS LEFT %s %s\n", process, label);
    if (access("/var/lib/sandbox/selinux", F_OK) == 0) left = 1, printf("JOURNAL LEFT\n");
    FILE *names = fopen("/proc/net/unix", "re");
    while (names && fgets(label, sizeof label, names)) {
        if (strstr(label, "@sandbox/")) left = 1, printf("NAME LEFT %s", label);
    }
    if (names) fclose(names);
    return left;
}

static long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Starts a program; what it says on standard error goes to the file.
static pid_t start(char *const *words, const char *errors) {
    pid_t child = fork();
    if (child != 0) return child;
    int said = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600), nothing = open("/dev/null", O_RDWR);
    if (said < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(said, 2) < 0) _exit(99);
    close(said);
    close(nothing);
    execv(words[0], words);
    _exit(98);
}

// Waits for its end; 0 when there is none in time.
static int ends_within(pid_t child, int milliseconds, int *status) {
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    int ready = poll(&end, 1, milliseconds);
    close(end.fd);
    if (ready == 1) return waitpid(child, status, 0) == child;
    return 0;
}

// Puts back what killed launchers left. A label may be another launcher's to put back, which has begun with it: so more than once.
static int soon_plain(const char *sandbox, const char *image, const char *errors) {
    char *const restore[] = {(char *)sandbox, "selinux", "restore", 0};
    for (int attempt = 0; has_pair(image); attempt++, usleep(100000)) {
        int status;
        if (attempt == 300) return 0;
        waitpid(start(restore, errors), &status, 0);
    }
    return 1;
}
