// What tests of many starts and ends need, fast enough for an emulated machine.
//
//   churn watch FILE            until FILE exists: looks at the labels of all processes, over and over. A pair of categories belongs to the
//                               parent of the process that has it, the launcher. Prints each pair that two launchers have at a time, or
//                               that one has while processes of a dead one still do; at the end "N pairs, M at a time, L looks".
//   churn kill N COMMAND...     runs COMMAND and kills it (SIGKILL) at its N-th landmark: a system call that makes or changes something that
//                               others can see. Prints "killed N NAME", or "ended CODE N" if it had fewer landmarks. Threads of COMMAND
//                               are followed, processes that it starts are not.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) { perror(what); exit(99); }

// ---- watch ----

enum { CATEGORIES = 1024, MOST_PROCESSES = 4096 };
struct owned { int pair, owner, process; };
static unsigned char seen[CATEGORIES * CATEGORIES];

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

static int parent_of(const char *process, char *state) {
    char text[512];
    if (!read_text(process, "stat", text, sizeof text)) return 0;
    int parent = 0;
    char *end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d", state, &parent) == 2 ? parent : 0;
}

static int is_alive(int process) {
    char name[16], state = 'X';
    snprintf(name, sizeof name, "%d", process);
    return parent_of(name, &state) && state != 'Z' && state != 'X';
}

static int look(struct owned *all) {
    int count = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(folder)) && count < MOST_PROCESSES;) {
        char label[256], state;
        int low, high;
        if (!isdigit(entry->d_name[0]) || !read_text(entry->d_name, "attr/current", label, sizeof label)) continue;
        char *type = strstr(label, ":sbx_");
        if (!type || sscanf(type, ":%*[a-z_]:s0:c%d,c%d", &low, &high) != 2) continue;
        int owner = parent_of(entry->d_name, &state);
        if (owner && state != 'Z') all[count++] = (struct owned){low * CATEGORIES + high, owner, atoi(entry->d_name)};
    }
    closedir(folder);
    return count;
}

static int watch(const char *until) {
    static struct owned all[MOST_PROCESSES];
    int pairs = 0, most = 0, looks = 0, twice = 0;
    for (; access(until, F_OK) != 0; looks++, usleep(20000)) {
        int count = look(all), now = 0;
        for (int one = 0; one < count; one++) {
            int first = 1;
            for (int other = 0; other < one; other++) {
                if (all[other].pair != all[one].pair) continue;
                first = 0;
                if (all[other].owner == all[one].owner) continue;
                // One of the two launchers may have died while we looked: then the other is who took its processes in.
                if (!is_alive(all[one].owner) || !is_alive(all[other].owner) || !is_alive(all[one].process) || !is_alive(all[other].process)) continue;
                printf("PAIR TWICE c%d,c%d of %d and %d\n", all[one].pair / CATEGORIES, all[one].pair % CATEGORIES, all[one].owner, all[other].owner);
                twice++;
            }
            now += first;
            if (!seen[all[one].pair]) seen[all[one].pair] = 1, pairs++;
        }
        if (now > most) most = now;
    }
    printf("%d pairs, %d at a time, %d looks\n", pairs, most, looks);
    return twice != 0;
}

// ---- kill ----

static const struct { long number; const char *name; } landmarks[] = {
    {SYS_bind, "bind"}, {SYS_socketpair, "socketpair"}, {SYS_pipe2, "pipe2"}, {SYS_memfd_create, "memfd_create"}, {SYS_fsetxattr, "fsetxattr"},
    {SYS_rename, "rename"}, {SYS_renameat, "renameat"}, {SYS_unlink, "unlink"}, {SYS_mkdir, "mkdir"}, {SYS_rmdir, "rmdir"}, {SYS_fsync, "fsync"},
    {SYS_vfork, "spawn"}, {SYS_pidfd_open, "pidfd_open"}, {SYS_pidfd_send_signal, "pidfd_send_signal"}, {SYS_waitid, "waitid"}, {SYS_exit_group, "exit"},
};

static const char *landmark(const struct __ptrace_syscall_info *call) {
    // A new process, not a thread.
    if (call->entry.nr == SYS_clone && !(call->entry.args[0] & CLONE_THREAD)) return "spawn";
    if (call->entry.nr == SYS_clone3) return "spawn or thread";
    for (size_t index = 0; index < sizeof landmarks / sizeof *landmarks; index++) {
        if ((long)call->entry.nr == landmarks[index].number) return landmarks[index].name;
    }
    return 0;
}

static int kill_at(int number, char **command) {
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) die("traceme");
        execv(command[0], command);
        die(command[0]);
    }
    int status, count = 0;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) die("no exec");
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE;
    if (ptrace(PTRACE_SETOPTIONS, child, 0, options) != 0 || ptrace(PTRACE_SYSCALL, child, 0, 0) != 0) die("trace");
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (thread != child) continue;
            if (WIFEXITED(status)) printf("ended %d %d\n", WEXITSTATUS(status), count);
            else if (count < number) printf("ended by signal %d after %d\n", WTERMSIG(status), count);
            return 0;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info call;
            signal = 0;
            const char *name;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) > 0 && call.op == PTRACE_SYSCALL_INFO_ENTRY && (name = landmark(&call)) && ++count == number) {
                kill(child, SIGKILL);
                printf("killed %d %s\n", number, name);
            }
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            signal = 0; // a new thread: the event, and how it begins
        }
        ptrace(PTRACE_SYSCALL, thread, 0, signal);
    }
    return 0;
}

int main(int count, char **words) {
    setvbuf(stdout, 0, _IOLBF, 0);
    if (count == 3 && !strcmp(words[1], "watch")) return watch(words[2]);
    if (count > 3 && !strcmp(words[1], "kill")) return kill_at(atoi(words[2]), words + 3);
    return 98;
}
