// libFuzzer in front of a .NET process that SharpFuzz has instrumented: libFuzzer's inputs go to the process through shared memory, and the
// process's counters come back as libFuzzer's own. Usage: driver TARGET.dll NAME [libFuzzer's options] [CORPUS...]
// The other side is SharpFuzz's Fuzzer.LibFuzzer.Run: it attaches the segment named by __LIBFUZZER_SHM_ID, reads the length of an input from
// the fd of __LIBFUZZER_CONTROL_PIPE_ID and answers with a status on that of __LIBFUZZER_STATUS_PIPE_ID.
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

enum { COUNTERS = 1 << 16, MAX_INPUT = 1 << 20, CONTROL_FD = 198, STATUS_FD = 199 };

__attribute__((section("__libfuzzer_extra_counters"), used)) static volatile uint8_t counters[COUNTERS];
static uint8_t *shared; // COUNTERS bytes of counters, then the input
static int control, status;

static void fail(const char *what) {
    fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
    exit(1);
}

// 0: nothing found; 1: a finding, which the process has told of on its standard error.
static int32_t answer(void) {
    int32_t value;
    for (size_t have = 0; have < sizeof value;) {
        ssize_t count = read(status, (char *)&value + have, sizeof value - have);
        if (count == 0) return 1; // it died
        if (count < 0 && errno != EINTR) fail("read");
        have += count > 0 ? (size_t)count : 0;
    }
    return value;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    if (*argc < 3) {
        fprintf(stderr, "driver: give TARGET.dll and the NAME of a target\n");
        exit(1);
    }
    int segment = shmget(IPC_PRIVATE, COUNTERS + MAX_INPUT, IPC_CREAT | 0600);
    if (segment < 0 || (shared = shmat(segment, NULL, 0)) == (void *)-1) fail("shared memory");
    char text[16];
    snprintf(text, sizeof text, "%d", segment);
    setenv("__LIBFUZZER_SHM_ID", text, 1);
    setenv("__LIBFUZZER_CONTROL_PIPE_ID", "198", 1); // CONTROL_FD
    setenv("__LIBFUZZER_STATUS_PIPE_ID", "199", 1);  // STATUS_FD
    int to[2], from[2];
    if (pipe(to) || pipe(from)) fail("pipe");
    pid_t parent = getpid(), child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || dup2(to[0], CONTROL_FD) < 0 || dup2(from[1], STATUS_FD) < 0) _exit(1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        execlp("dotnet", "dotnet", (*argv)[1], (*argv)[2], (char *)NULL);
        fail("dotnet");
    }
    close(to[0]), close(from[1]);
    control = to[1], status = from[0];
    signal(SIGPIPE, SIG_IGN);
    if (answer() != 0) {
        fprintf(stderr, "driver: the target did not start\n");
        exit(1);
    }
    shmctl(segment, IPC_RMID, NULL); // goes with the last of the two processes
    (*argv)[2] = (*argv)[0];         // what is left are libFuzzer's arguments
    *argv += 2, *argc -= 2;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > MAX_INPUT) return 0;
    int32_t length = (int32_t)size;
    memset(shared, 0, COUNTERS);
    memcpy(shared + COUNTERS, data, size);
    if (write(control, &length, sizeof length) != sizeof length) abort();
    int32_t found = answer();
    memcpy((uint8_t *)counters, shared, COUNTERS);
    if (found != 0) abort(); // libFuzzer saves the input
    return 0;
}
