// A landmark is a system call of the launcher that makes or changes something that others can see: before each one the world may
// look different, so to be killed before each is to be killed in every phase.
//
// By a filter that asks this process at each (SECCOMP_RET_USER_NOTIF): ptrace stops at every call and takes ten times as long.
#pragma once
#include "proc.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>

#define CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)

static struct sock_filter landmarks[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    CALL(bind), CALL(socketpair), CALL(pipe2), CALL(memfd_create), CALL(fsetxattr), CALL(rename), CALL(renameat), CALL(unlink), CALL(mkdir), CALL(rmdir),
    CALL(fsync), CALL(vfork), CALL(clone3), CALL(pidfd_open), CALL(pidfd_send_signal), CALL(waitid), CALL(exit_group),
    // A new process, not a thread.
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

// The process under the filter, stopped until a byte comes back.
static _Noreturn void become(char *const *command, const char *errors, int line) {
    struct sock_fprog program = {sizeof landmarks / sizeof *landmarks, landmarks};
    char byte;
    int said = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600), nothing = open("/dev/null", O_RDWR);
    if (said < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(said, 2) < 0) _exit(99);
    // Not interrupted by the runtime's own signals: or the same call would come twice.
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
    if (listener < 0 || write(line, &listener, sizeof listener) != sizeof listener || read(line, &byte, 1) != 1) _exit(97);
    execv(command[0], command);
    _exit(98);
}

// One question: whether it is one of this process; answered unless the process is to be killed there.
static int is_landmark_of(pid_t process, int listener, int number, int *count) {
    struct seccomp_notif call = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return 0; // who asked is gone
    char task[64];
    snprintf(task, sizeof task, "/proc/%d/task/%d", process, call.pid);
    if (access(task, F_OK) == 0 && ++*count == number) return 1;
    struct seccomp_notif_resp go = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go);
    return 0;
}

// What the launcher has started is under the filter too, and may outlive it for a moment: in a process of nobody's.
static void answer_the_rest(int listener) {
    pid_t middle = fork();
    if (middle != 0) {
        waitpid(middle, 0, 0);
        return;
    }
    if (fork() != 0) _exit(0);
    int count = 0;
    for (struct pollfd end = {.fd = listener, .events = POLLIN}; poll(&end, 1, 60000) == 1 && !(end.revents & POLLHUP);) is_landmark_of(0, listener, -1, &count);
    _exit(0);
}

// Runs a program and kills it at its N-th landmark: 1; 0 when it ended before. Its threads count, processes that it starts do not.
static int kill_at(int number, char *const *command, const char *errors, int *status) {
    int lines[2], theirs, killed = 0, count = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines) != 0) die("line");
    pid_t child = fork();
    if (child == 0) become(command, errors, lines[1]);
    close(lines[1]);
    if (read(lines[0], &theirs, sizeof theirs) != sizeof theirs) die("no filter");
    int process = (int)syscall(SYS_pidfd_open, child, 0), listener = (int)syscall(SYS_pidfd_getfd, process, theirs, 0);
    if (listener < 0 || write(lines[0], "g", 1) != 1) die("listener");
    close(lines[0]);
    for (struct pollfd both[] = {{.fd = listener, .events = POLLIN}, {.fd = process, .events = POLLIN}}; poll(both, 2, -1) > 0 && !both[1].revents;) {
        if (both[0].revents & POLLIN && is_landmark_of(child, listener, killed ? -1 : number, &count)) killed = kill(child, SIGKILL) == 0;
    }
    waitpid(child, status, 0);
    answer_the_rest(listener);
    close(listener);
    close(process);
    return killed;
}
