// Runs sandbox-probe (src/Sandbox.Probe: what `sandbox doctor --prove` attempts) inside a domain, with SELinux as the only wall: the
// namespaces are the host's, there is no filter, no limit and no Landlock, and it has every capability, as a user who is not root (as
// whom being refused root would mean nothing).
//
//   prove CONTEXT EXE OTHER NEIGHBOUR FIRST LAST
//       for each act from FIRST to LAST (ForbiddenAct): starts EXE, a copy of sandbox-probe, at CONTEXT, with the fds that stand in the
//       place of a sandbox process, labelled with its pair, a folder and a namespace of the host that somebody forgot to close, and prints
//       "ACT|ANSWER|REFUSED|BEFORE": what the probe answered (an error number, 200 for done, 0 for nothing), what the kernel has logged
//       as refused to CONTEXT from the order on ("{ open } file"), and before it, at the exec.
//       OTHER is a process of the same pair, NEIGHBOUR one of another.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SOME_USER = 54321, GUEST_MEMORY = 20, FOLDER = 21, NAMESPACE = 22, BACKING = 6, SECONDS = 20 };

static const char *level;

static void die(const char *what) { perror(what); exit(99); }

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
    close(fd);
}

static char *object(const char *type) {
    static char context[256];
    snprintf(context, sizeof context, "system_u:object_r:%s:%s", type, level);
    return context;
}

static int labelled(int fd, const char *type) {
    char *context = object(type);
    if (fsetxattr(fd, "security.selinux", context, strlen(context) + 1, 0) != 0) die(context);
    return fd;
}

static int memory(const char *type) {
    int fd = memfd_create("prove", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, 1 << 20) != 0) die("memfd");
    return labelled(fd, type);
}

static void channel(int pair[2]) {
    write_text("/proc/thread-self/attr/sockcreate", object("sbx_channel_t"));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
    write_text("/proc/thread-self/attr/sockcreate", "\n");
}

// A user without a name, who has all capabilities over the exec too.
static void become_somebody(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setresgid(SOME_USER, SOME_USER, SOME_USER) != 0 || setresuid(SOME_USER, SOME_USER, SOME_USER) != 0) die("user");
    if (syscall(SYS_capget, &header, data) != 0) die("capget");
    for (int half = 0; half < 2; half++) data[half].effective = data[half].inheritable = data[half].permitted;
    if (syscall(SYS_capset, &header, data) != 0) die("capset");
    for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    }
}

struct order {
    uint32_t magic;
    uint16_t act;
    uint8_t process, filtered;
    int64_t other, neighbour, launcher, address, segment, port, backing, backing_bytes, guest_memory;
    char path[112];
};
_Static_assert(sizeof(struct order) == 192, "ProbeOrderView.Bytes");

// What has been refused to this label since the last look, each once; of the record's many words the permissions and the class. The log
// is written by another thread of the kernel: where there must be something, it is waited for.
static void denied(int log, const char *context, int expected, char *text, size_t size) {
    char record[8192], source[256], one[128];
    text[0] = 0;
    snprintf(source, sizeof source, "scontext=%s ", context);
    int waits = 0;
again:
    usleep(5000);
    for (long count; (count = read(log, record, sizeof record - 1)) > 0 || (count < 0 && errno == EPIPE);) {
        if (count < 0) continue;
        record[count] = 0;
        char *start = strstr(record, "denied  { "), *kind = strstr(record, "tclass=");
        if (!start || !kind || !strstr(record, source)) continue;
        snprintf(one, sizeof one, "%.*s %.*s, ", (int)(strchr(start, '}') - start - 7), start + 8, (int)strcspn(kind + 7, " \n"), kind + 7);
        if (!strstr(text, one)) strncat(text, one, size - strlen(text) - 1);
    }
    if (expected && !*text && ++waits < 400) goto again;
}

// It has executed and waits for its order: read(2), which is 0, of fd 3.
static void wait_until_it_reads(pid_t child) {
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/syscall", child);
    for (int wait = 0; wait < SECONDS * 1000; wait++, usleep(1000)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        long count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        close(fd);
        if (count <= 0) return; // it has ended
        if (!strncmp(text, "0 0x3 ", 6)) return;
    }
}

static int attempt(const char *context, const char *exe, struct order *order, int log, char *before, size_t size) {
    int control[2], device[2], errors[2];
    channel(control);
    channel(device);
    if (pipe2(errors, O_CLOEXEC) != 0) die("pipe");
    labelled(errors[1], "sbx_pipe_t");
    int guest = memory("sbx_memory_t"), record = memory("sbx_memory_t"), backing = memory("sbx_image_t");
    int program = open(exe, O_RDONLY | O_CLOEXEC), nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        int from[] = {nothing, nothing, errors[1], control[1], device[1], record, backing, guest, folder, space, program};
        int to[] = {0, 1, 2, 3, 4, 5, BACKING, GUEST_MEMORY, FOLDER, NAMESPACE, 30};
        int count = sizeof from / sizeof *from, high[16];
        for (int index = 0; index < count; index++) high[index] = fcntl(from[index], F_DUPFD_CLOEXEC, 100);
        for (int index = 0; index < count; index++) dup2(high[index], to[index]);
        fcntl(30, F_SETFD, FD_CLOEXEC);
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        write_text("/proc/thread-self/attr/exec", context);
        become_somebody();
        char *words[] = {"sandbox-probe", 0}, *environment[] = {0};
        syscall(SYS_execveat, 30, "", words, environment, AT_EMPTY_PATH);
        _exit(98);
    }
    close(control[1]);
    wait_until_it_reads(child);
    denied(log, context, 1, before, size); // the forgotten fds at least
    if (write(control[0], order, sizeof *order) != sizeof *order) die("order");
    struct pollfd ready = {control[0], POLLIN, 0};
    unsigned char answer = 0;
    if (poll(&ready, 1, SECONDS * 1000) <= 0) kill(child, SIGKILL), answer = 255;
    else if (read(control[0], &answer, 1) != 1) answer = 0;
    int status;
    waitpid(child, &status, 0);
    kill(-child, SIGKILL); // children that it left, and may not end itself
    int all[] = {control[0], device[0], device[1], errors[0], errors[1], guest, record, backing, program, nothing, folder, space};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) close(all[index]);
    return answer;
}

int main(int count, char **words) {
    if (count != 7) return 97;
    char *context = words[1];
    level = strstr(context, ":s0:") + 1;
    int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (log < 0 || lseek(log, 0, SEEK_END) < 0) die("/dev/kmsg");
    int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
    for (int act = atoi(words[5]); act <= atoi(words[6]); act++) {
        char before[512], text[512];
        struct order order = {
            .magic = 0x31505853, .act = (uint16_t)act, .other = atoi(words[3]), .neighbour = atoi(words[4]), .launcher = getpid(), .address = 0x400000,
            .segment = segment, .port = 8000, .backing = BACKING, .backing_bytes = 1 << 20, .guest_memory = GUEST_MEMORY, .path = "/tmp/prove",
        };
        int answer = attempt(context, words[2], &order, log, before, sizeof before);
        denied(log, context, answer == EPERM || answer == EACCES, text, sizeof text);
        printf("%d|%d|%s|%s\n", act, answer, text, before);
        fflush(stdout);
    }
    shmctl(segment, IPC_RMID, 0);
    return 0;
}
