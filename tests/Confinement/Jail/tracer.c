// Stops the jail stage at each of its system calls, from outside: the exe under test is the shipped one. Two programs in one:
//   no argument:        stands in for sandbox-jail. Says its number on fd 6, waits until it is traced, executes fd 7, the real one.
//   MODE N:             traces whoever says so on fd 6 (the other end) until it executes its exe. On fd 8, a line for each call.
//   launch MODE N:      is the launcher too: starts the stage itself, is its parent, and holds fd 9 for it. Begins at the end of fd 10: until
//                       then the test has fds of its own that only a launcher holds.
// MODE: count; kill (SIGKILL at the entry of call N); fail (call N is not made and returns EPERM); die (kill this program at call N).
// Calls are numbered over both processes, those of the stage first: its child is held until it is gone. With a last argument "together" it is
// not: for a stage that waits for its child.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 6, STAGE = 7, TRACE = 8, LAUNCHERS = 9, GATE = 10, OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC };

static const char *mode;
static long chosen, next;
static pid_t stage, child, failing;
static unsigned long long first;
static int started, stage_gone, together;
static long entered[2], numbers[2], indexes[2];

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void stand_in(char **argv)
{
    pid_t self = getpid();
    char go;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    if (write(LINE, &self, sizeof self) != sizeof self || read(LINE, &go, 1) != 1)
        exit(99);
    close(LINE);
    for (int fd = STAGE; fd <= LAUNCHERS; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    syscall(SYS_execveat, STAGE, "", argv, (char *[]){0}, AT_EMPTY_PATH);
    exit(98);
}

static int is_mode(const char *name) { return strcmp(mode, name) == 0; }

// One system call of a traced process: at its entry and at its exit.
static void at_call(pid_t process)
{
    int who = process == child;
    struct user_regs_struct registers;
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process, sizeof info, &info) < 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        indexes[who] = next++;
        numbers[who] = (long)info.entry.nr;
        if (indexes[who] == chosen && is_mode("die") && dprintf(TRACE, "dies\n"))
            kill(getpid(), SIGKILL);
        if (indexes[who] == chosen && is_mode("kill"))
            kill(process, SIGKILL);
        if (indexes[who] == chosen && is_mode("fail")) {
            ptrace(PTRACE_GETREGS, process, 0, &registers);
            // Not -1: the filter of a keeper is asked after this and would kill for it. This one it grants, and it fails at once.
            first = registers.rdi;
            registers.orig_rax = SYS_nanosleep;
            registers.rdi = 0;
            ptrace(PTRACE_SETREGS, process, 0, &registers);
            failing = process;
            dprintf(TRACE, "refused\n");
        }
        entered[who] = now();
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && entered[who]) {
        dprintf(TRACE, "call %ld %d %ld %ld %lld\n", indexes[who], who, numbers[who], now() - entered[who], (long long)info.exit.rval);
        if (failing == process) {
            ptrace(PTRACE_GETREGS, process, 0, &registers);
            registers.rax = -EPERM;
            registers.rdi = first;
            ptrace(PTRACE_SETREGS, process, 0, &registers);
            failing = 0;
        }
    }
}

static void trace(void)
{
    pid_t held = 0;
    int status;
    for (;;) {
        pid_t process = waitpid(-1, &status, __WALL);
        if (process < 0)
            return;
        if (!WIFSTOPPED(status)) {
            dprintf(TRACE, "gone %d %d\n", process == child, status);
            stage_gone |= process == stage;
            if (stage_gone && held) {
                ptrace(PTRACE_SYSCALL, held, 0, 0);
                held = 0;
            }
            continue;
        }
        int event = status >> 16, signal = WSTOPSIG(status), deliver = 0;
        if (signal == (SIGTRAP | 0x80)) {
            if (started)
                at_call(process);
        } else if (event == PTRACE_EVENT_EXEC) {
            if (process == child) {
                dprintf(TRACE, "executed\n");
                ptrace(PTRACE_DETACH, process, 0, 0);
                continue;
            }
            started = 1;
        } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_VFORK) {
            unsigned long made = 0;
            ptrace(PTRACE_GETEVENTMSG, process, 0, &made);
            child = (pid_t)made;
        } else if (event == PTRACE_EVENT_STOP) {
            if (process != stage && !stage_gone && !held && !together) {
                held = process; // its first stop; it goes on when the stage is gone
                continue;
            }
        } else {
            deliver = signal;
        }
        ptrace(PTRACE_SYSCALL, process, 0, deliver);
    }
}

int main(int argc, char **argv)
{
    if (argc == 1)
        stand_in(argv);
    int launches = strcmp(argv[1], "launch") == 0;
    mode = argv[1 + launches];
    chosen = atol(argv[2 + launches]);
    together = argc > 3 + launches;
    int line = LINE;
    if (launches) {
        char byte;
        while (read(GATE, &byte, 1) > 0)
            ;
        close(GATE);
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
        pid_t made = fork();
        if (made == 0) {
            dup2(pair[1], LINE);
            stand_in((char *[]){"sandbox-jail", 0});
        }
        line = pair[0];
        syscall(SYS_close_range, 240, ~0U, 0); // the stage's, whose end shall be seen
    }
    pid_t other;
    if (read(line, &other, sizeof other) != sizeof other)
        return 97;
    stage = other;
    if (ptrace(PTRACE_SEIZE, stage, 0, OPTIONS) < 0 || ptrace(PTRACE_INTERRUPT, stage, 0, 0) < 0) {
        dprintf(TRACE, "seize %d\n", errno);
        return 96;
    }
    if (write(line, "g", 1) != 1)
        return 95;
    trace();
    return 0;
}
