// One program with two parts, for the tests of the SELinux policy.
//
//   acts in CONTEXT EXE [NUMBER=KIND:LABEL]... -- ACT...
//       starts EXE (a copy of this program) at CONTEXT, with objects of its own label as fds, and prints what it says:
//       KIND is memfd, pattern (the same with bytes in it), readable (the same, read-only), pipe (writing end), socket (one end of
//       a pair, with a byte to read), unconnected (a socket), listener (one that is called "acts-listener"), eventfd (made by a process of that
//       label), sender (a socket with an fd to receive, whose KIND:LABEL is behind a slash), or file, and LABEL a path
//   acts ACT...
//       tries each act and prints "ACT ok" or "ACT ERRNO"; by the standard output that it was given, which needs no rights of its own
//
// No namespace, no filter, no change of user: what is refused here, SELinux refuses.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static void die(const char *what) { perror(what); exit(99); }

static int write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    long count = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return count < 0 ? -1 : 0;
}

static void label(int fd, const char *context) {
    if (fsetxattr(fd, "security.selinux", context, strlen(context) + 1, 0) != 0) die(context);
}

static int other_end;

static void send_fd(int socket, int fd) {
    char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (sendmsg(socket, &message, 0) != 1) die("send fd");
}

// -1: none arrived.
static int take_fd(int socket) {
    char byte, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    errno = EBADF;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header) return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static long receive_fd(int socket) {
    char byte;
    return read(socket, &byte, 1) == 1 ? take_fd(socket) : -1; // the first byte is the pair's own
}

static int make_socket(const char *context) {
    if (write_text("/proc/thread-self/attr/sockcreate", context) != 0) die(context);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    write_text("/proc/thread-self/attr/sockcreate", "\n");
    if (fd < 0) die("socket");
    return fd;
}

static socklen_t abstract(struct sockaddr_un *address, const char *name) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, name, strlen(name));
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static int make(const char *kind, char *context) {
    int pair[2];
    if (!strcmp(kind, "memfd") || !strcmp(kind, "pattern") || !strcmp(kind, "readable")) {
        int fd = (int)syscall(SYS_memfd_create, "acts", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, 8192) != 0) die("memfd");
        if (kind[0] == 'r') {
            char path[64];
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            int reader = open(path, O_RDONLY | O_CLOEXEC);
            label(fd, context);
            close(fd);
            return reader;
        }
        label(fd, context);
        return fd;
    }
    if (!strcmp(kind, "unconnected")) return make_socket(context);
    if (!strcmp(kind, "listener")) {
        struct sockaddr_un address;
        int fd = make_socket(context);
        if (bind(fd, (void *)&address, abstract(&address, "acts-listener")) != 0 || listen(fd, 1) != 0) die("listener");
        return fd;
    }
    if (!strcmp(kind, "eventfd")) {
        char channel[256];
        snprintf(channel, sizeof channel, "system_u:object_r:sbx_channel_t:%s", strchr(strchr(strchr(context, ':') + 1, ':') + 1, ':') + 1);
        int mine = make("socket", channel), theirs = other_end;
        if (fork() == 0) {
            if (write_text("/proc/thread-self/attr/current", context) != 0) _exit(98);
            send_fd(theirs, eventfd(0, EFD_CLOEXEC));
            _exit(0);
        }
        int fd = (int)receive_fd(mine);
        if (fd < 0) die("eventfd");
        return fd;
    }
    if (!strcmp(kind, "sender")) {
        char *slash = strchr(context, '/'), *colon = strchr(slash, ':');
        *slash = *colon = 0;
        int sent = make(slash + 1, colon + 1), end = make("socket", context);
        send_fd(other_end, sent);
        return end;
    }
    if (!strcmp(kind, "pipe")) {
        if (pipe2(pair, O_CLOEXEC) != 0) die("pipe");
        label(pair[1], context);
        return pair[1];
    }
    if (!strcmp(kind, "socket")) {
        if (write_text("/proc/thread-self/attr/sockcreate", context) != 0) die(context);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) die("socketpair");
        write_text("/proc/thread-self/attr/sockcreate", "\n");
        other_end = pair[1]; // stays open in this process
        if (write(pair[1], "x", 1) != 1) die("fill");
        return pair[0];
    }
    int fd = open(context, O_RDWR | O_CLOEXEC);
    if (fd < 0) fd = open(context, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die(context);
    return fd;
}

static int start(int count, char **words) {
    const char *context = words[0];
    char *exe = words[1];
    char *arguments[64] = {exe};
    int numbers[16], fds[16], given = 0, used = 1, at = 2;
    for (; at < count && strcmp(words[at], "--"); at++) {
        char *equals = strchr(words[at], '='), *colon = strchr(words[at], ':');
        *equals = *colon = 0;
        numbers[given] = atoi(words[at]);
        fds[given++] = fcntl(make(equals + 1, colon + 1), F_DUPFD_CLOEXEC, 100);
    }
    for (at++; at < count && used < 63; at++) arguments[used++] = words[at];
    int out[2];
    char object[256];
    if (pipe2(out, O_CLOEXEC) != 0) die("pipe");
    int writer = fcntl(out[1], F_DUPFD_CLOEXEC, 100); // out of the way of the numbers asked for
    close(out[1]);
    out[1] = writer;
    // The level of the process, on a pipe that it may write.
    snprintf(object, sizeof object, "system_u:object_r:sbx_pipe_t:%s", strchr(strchr(strchr(context, ':') + 1, ':') + 1, ':') + 1);
    label(out[1], object);
    pid_t child = fork();
    if (child == 0) {
        for (int index = 0; index < given; index++) dup2(fds[index], numbers[index]);
        int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        if (write_text("/proc/thread-self/attr/exec", context) != 0) { dprintf(1, "setexec %d\n", errno); _exit(98); }
        execv(exe, arguments);
        dprintf(1, "exec %d\n", errno);
        _exit(97);
    }
    close(out[1]);
    char buffer[4096];
    for (long size; (size = read(out[0], buffer, sizeof buffer)) > 0;) {
        if (write(1, buffer, (size_t)size) != size) die("write");
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static long map(int protection, int flags, int fd) {
    void *address = mmap(0, 4096, protection, flags, fd, 0);
    return address == MAP_FAILED ? -1 : (long)address;
}

static long act(char *name) {
    char *value = strchr(name, '=');
    value = value ? value + 1 : "";
    size_t length = strcspn(name, "=");
    int number = atoi(value);
    char byte = 'x', path[64];
#define IS(text) (length == sizeof(text) - 1 && !memcmp(name, text, length))
    if (IS("open")) return open(value, O_RDONLY | O_NONBLOCK);
    if (IS("openw")) return open(value, O_RDWR | O_NONBLOCK);
    if (IS("create")) return open(value, O_RDWR | O_CREAT, 0600);
    if (IS("remove")) return unlink(value);
    if (IS("folder")) return mkdir(value, 0700);
    if (IS("list")) return open(value, O_RDONLY | O_DIRECTORY);
    if (IS("stat")) { struct stat status; return stat(value, &status); }
    if (IS("exec")) { char *words[] = {value, 0}; return execv(value, words); }
    if (IS("read")) { long count = read(number, &byte, 1); if (count == 0) errno = ENODATA; return count > 0 ? 0 : -1; }
    if (IS("write")) return write(number, &byte, 1);
    if (IS("map")) return map(PROT_READ | PROT_WRITE, MAP_SHARED, number);
    if (IS("mapexec")) return map(PROT_READ | PROT_EXEC, MAP_SHARED, number);
    if (IS("lock")) { struct flock lock = {.l_type = F_RDLCK}; return fcntl(number, F_SETLK, &lock); }
    if (IS("grow")) return ftruncate(number, 1 << 20);
    if (IS("relabel")) return fsetxattr(number, "security.selinux", "system_u:object_r:host_file_t:s0", 33, 0);
    if (IS("execmem")) return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (IS("execmod")) {
        long address = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        *(volatile char *)address = 1;
        return mprotect((void *)address, 4096, PROT_READ | PROT_EXEC);
    }
    if (IS("execstack")) return mprotect((void *)((unsigned long)&byte & ~4095ul), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    if (IS("socket")) { char *slash = strchr(value, '/'); return socket(number, slash ? atoi(slash + 1) : SOCK_STREAM, 0); }
    if (IS("socketpair")) { int pair[2]; return socketpair(AF_UNIX, SOCK_STREAM, 0, pair); }
    if (IS("accept")) return accept(number, 0, 0);
    if (IS("listen")) return listen(number, 1);
    if (IS("kill")) return kill(number, 0);
    if (IS("term")) return kill(number, SIGTERM);
    if (IS("ptrace")) return ptrace(PTRACE_ATTACH, number, 0, 0);
    if (IS("mem")) { snprintf(path, sizeof path, "/proc/%d/mem", number); return open(path, O_RDWR); }
    if (IS("maps")) { snprintf(path, sizeof path, "/proc/%d/maps", number); return open(path, O_RDONLY); }
    if (IS("getfd")) { int pid = (int)syscall(SYS_pidfd_open, number, 0); return syscall(SYS_pidfd_getfd, pid, 0, 0); }
    if (IS("vmread")) {
        struct iovec local = {&byte, 1}, remote = {(void *)0x400000, 1};
        return process_vm_readv(number, &local, 1, &remote, 1, 0);
    }
    if (IS("priority")) { struct sched_param plain = {0}; return sched_setscheduler(number, SCHED_BATCH, &plain); }
    if (IS("setcon")) return write_text("/proc/thread-self/attr/current", value);
    if (IS("setexec")) return write_text("/proc/thread-self/attr/exec", value);
    if (IS("userns")) return unshare(CLONE_NEWUSER);
    if (IS("mount")) return mount("none", value, "tmpfs", 0, 0);
    if (IS("uring")) { char zero[256] = {0}; return syscall(SYS_io_uring_setup, 1, zero); }
    if (IS("uffd")) return syscall(SYS_userfaultfd, O_CLOEXEC);
    if (IS("bpf")) { union bpf_attr map_of = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1}; return syscall(SYS_bpf, BPF_MAP_CREATE, &map_of, sizeof map_of); }
    if (IS("perf")) { struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event}; return syscall(SYS_perf_event_open, &event, 0, -1, -1, 0); }
    if (IS("key")) return syscall(SYS_add_key, "user", "acts", "x", 1, -1);
    if (IS("shm")) return syscall(SYS_shmget, 0, 4096, 01600);
    if (IS("memfd")) return syscall(SYS_memfd_create, "acts", 0);
    if (IS("hostname")) return sethostname("acts", 4);
    if (IS("kvm")) return ioctl(4, strtoul(value, 0, 16), 0);
    if (IS("ioctl")) return ioctl(number, 0x5413, path);
    if (IS("connect")) {
        struct sockaddr_un address;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        return fd < 0 ? -1 : connect(fd, (void *)&address, abstract(&address, value));
    }
    if (IS("connectfd")) {
        struct sockaddr_un address;
        return connect(number, (void *)&address, abstract(&address, "acts-listener"));
    }
    if (IS("getsched")) return sched_getscheduler(number);
    if (IS("receive")) return receive_fd(number);
    if (IS("hold")) { for (;;) pause(); }
    errno = ENOSYS;
    return -2;
}

// Not by stdio, which looks at the fd before it writes.
static void say(const char *name, const char *result) {
    char line[512];
    int size = snprintf(line, sizeof line, "%s %s\n", name, result);
    if (write(1, line, (size_t)size) != size) _exit(96);
}

int main(int count, char **words) {
    if (count > 3 && !strcmp(words[1], "in")) return start(count - 2, words + 2);
    for (int at = 1; at < count; at++) {
        char name[256];
        snprintf(name, sizeof name, "%s", words[at]);
        errno = 0;
        long result = act(name);
        say(words[at], result == -2 ? "unknown" : result == -1 ? strerrorname_np(errno) : "ok");
    }
    return 0;
}
