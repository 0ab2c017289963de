// Runs in the place of a sandbox process and says what it finds: one `key value` a line on fd 1. Then it waits for the end
// of fd 0. Statically linked: the jail's root holds no loader.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void say(const char *key, long value) { dprintf(1, "%s %ld\n", key, value); }
static void limit(const char *key, int resource)
{
    struct rlimit limit;
    getrlimit(resource, &limit);
    say(key, (long)limit.rlim_max);
}
#define REFUSED(key, call) do { errno = 0; say(key, (long)(call) == -1 ? errno : 0); } while (0)

// Uses ever more of one thing, until it is refused or killed.
static void use(const char *what)
{
    enum { MOST = 256 };
    if (strcmp(what, "eat") == 0) {
        for (int i = 0; i < MOST; i++)
            memset(malloc(1 << 20), 1, 1 << 20);
        say("ate", MOST);
    } else if (strcmp(what, "fork") == 0) {
        int forked = 0;
        while (forked < MOST && fork() > 0)
            forked++;
        int error = errno;
        if (getpid() != 1)
            pause();
        say("forked", forked);
        say("forkerror", error);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2)
        use(argv[1]);
    for (int i = 0; i < argc; i++)
        dprintf(1, "argument%d %s\n", i, argv[i]);
    int variables = 0;
    while (environ[variables])
        variables++;
    say("environment", variables);
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            dprintf(1, "fd%d open\n", fd);
    gid_t groups[64];
    say("groups", getgroups(64, groups));
    say("pid", getpid());
    say("parent", getppid());
    say("session", getsid(0));
    mode_t mask = umask(0);
    umask(mask);
    say("umask", mask);
    say("securebits", prctl(PR_GET_SECUREBITS));
    int bounding = 0;
    for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
        bounding += prctl(PR_CAPBSET_READ, i);
    say("bounding", bounding);
    say("mdwe", prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0));
    int deathSignal = 0;
    prctl(PR_GET_PDEATHSIG, &deathSignal);
    say("deathsignal", deathSignal);
    limit("core", RLIMIT_CORE);
    limit("files", RLIMIT_NOFILE);
    limit("processes", RLIMIT_NPROC);
    limit("locked", RLIMIT_MEMLOCK);
    limit("filesize", RLIMIT_FSIZE);
    REFUSED("readroot", open("/", O_RDONLY | O_DIRECTORY));
    REFUSED("create", open("/file", O_CREAT | O_WRONLY, 0600));
    REFUSED("parentdir", open("/../../etc/passwd", O_RDONLY));
    REFUSED("proc", open("/proc/self/maps", O_RDONLY));
    REFUSED("remount", mount(0, "/", 0, MS_REMOUNT | MS_BIND, 0));
    REFUSED("mount", mount("none", "/", "tmpfs", 0, 0));
    REFUSED("chroot", chroot("/"));
    REFUSED("namespace", unshare(CLONE_NEWNS));
    REFUSED("setuid", setuid(0));
    REFUSED("hostname", sethostname("x", 1));
    REFUSED("executable", mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REFUSED("rawsocket", socket(AF_PACKET, SOCK_RAW, 0));
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5000)};
    REFUSED("bindtcp", bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&any, sizeof any));
    // fd 5 may be a program: run it instead of this one. Comes back only when it is refused.
    REFUSED("execother", syscall(SYS_execveat, 5, "", (char *[]){"other", 0}, (char *[]){0}, AT_EMPTY_PATH));
    REFUSED("raiselimit", setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}));
    say("end", 0);
    char byte;
    while (read(0, &byte, 1) > 0)
        ;
    return 42;
}
