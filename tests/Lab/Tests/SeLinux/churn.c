// Many starts and ends of sandboxes, in one program: on an emulated machine a shell's loop around them costs more than they do.
//
//   churn run STARTS SANDBOX MICRO [SECONDS]   so many starts, or as many as begin in this time, four beside each other, each with an image of its worker's that it may write. Ended by
//                                        their guest (half of them), by their clock, by SIGTERM, by SIGKILL at any time, by SIGKILL at a landmark.
//                                        MICRO is the folder of the micro guests, a few instructions that end the machine or halt it: what is
//                                        tested here is outside of it. Prints what went wrong, then what there was
//   churn landmarks STEP SANDBOX MICRO   a launcher killed at each STEP-th of its landmarks in turn, with a look at all that is left after each
//   churn left                           prints what a sandbox must not leave behind; silent when there is nothing
#include "churn/proc.h"
#include "churn/landmark.h"
#include "churn/watch.h"

enum {
    WORKERS = 4,
    KINDS = 8,
    LANDMARKS = 115, // a launcher with one disk has about so many; the exact number is the scheduler's
    LANDMARK_STRIDE = 13, // has no factor with it: all come up
    NO_END_MS = 180000,
    PROGRESS = 50, // starts between two lines on standard error
};

enum kind { ENDED, KILLED_AT_LANDMARK, KILLED, TOLD, TIMED };

static struct figures { long begun, last; int done, killed, at_landmark, labels_left, wrong; unsigned char landmarks_met[LANDMARKS + 1]; } *all;

#define ADD(field) __atomic_add_fetch(&all->field, 1, __ATOMIC_RELAXED)

static int says(const char *path, const char *words) {
    char text[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    long size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    close(fd);
    text[size < 0 ? 0 : size] = 0;
    return strstr(text, words) != 0;
}

static void wrong(int number, const char *what, const char *errors) {
    char text[2048] = "";
    int fd = open(errors, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) < 0) text[0] = 0;
    close(fd);
    printf("START %d: %s: %s\n", number, what, text);
    ADD(wrong);
}

static void make_image(const char *image) {
    static const char label[] = "system_u:object_r:sbx_image_t:s0";
    int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, 1 << 20) != 0 || fsetxattr(fd, "security.selinux", label, sizeof label, 0) != 0) die(image);
    close(fd);
}

static void progress(int starts) {
    int done = ADD(done);
    if (done % PROGRESS != 0) return;
    fprintf(stderr, "%ld s: %d of %d starts, %d killed, %d labels left by them, %d wrong\n", (now_ms() - all->begun) / 1000, done, starts, all->killed, all->labels_left, all->wrong);
}

static void work(int worker, int starts, char *sandbox, const char *micro) {
    char image[64], errors[64], restored[64], reset[256], halt[256], timeout[32];
    snprintf(image, sizeof image, "/var/lib/sandbox/images/churn%d.img", worker);
    snprintf(errors, sizeof errors, "/tmp/churn.%d", worker);
    snprintf(restored, sizeof restored, "/tmp/churn.%d.restore", worker);
    snprintf(reset, sizeof reset, "%s/reset.elf", micro);
    snprintf(halt, sizeof halt, "%s/halt.elf", micro);
    make_image(image);
    srandom((unsigned)worker);
    long usual = 3000; // how long a start and its end take here: a kill comes anywhere in it
    for (int number = worker; number <= starts && now_ms() < all->last; number += WORKERS) {
        static const enum kind kinds[KINDS] = {ENDED, KILLED_AT_LANDMARK, KILLED, TOLD, TIMED, ENDED, ENDED, ENDED};
        enum kind kind = kinds[number / WORKERS % KINDS];
        char *words[] = {sandbox, "run", "--selinux=required", "--disk", image, "--kernel", kind == ENDED || kind == KILLED_AT_LANDMARK ? reset : halt, "--", "/bin/true", 0, 0, 0};
        if (kind == TIMED) {
            snprintf(timeout, sizeof timeout, "%ldms", 300 + random() % usual);
            words[7] = "--timeout", words[8] = timeout, words[9] = "--", words[10] = "/bin/true";
        }
        int status = 0;
        if (kind == KILLED_AT_LANDMARK) {
            int landmark = number / (WORKERS * KINDS) * LANDMARK_STRIDE % LANDMARKS + 1;
            alarm(NO_END_MS / 1000);
            if (kill_at(landmark, words, errors, &status)) ADD(at_landmark), __atomic_store_n(&all->landmarks_met[landmark], 1, __ATOMIC_RELAXED);
            alarm(0);
        } else {
            long begun = now_ms();
            pid_t child = start(words, errors);
            if (kind == KILLED || kind == TOLD) {
                usleep((unsigned)(random() % (usual + usual / 4)) * 1000);
                kill(child, kind == KILLED ? SIGKILL : SIGTERM);
            }
            if (!ends_within(child, NO_END_MS, &status)) {
                wrong(number, "no end", errors);
                kill(child, SIGKILL);
                waitpid(child, &status, 0);
            }
            if (kind == ENDED) usual = now_ms() - begun;
        }
        if (WIFSIGNALED(status)) {
            ADD(killed);
            if (has_pair(image)) ADD(labels_left);
            if (!soon_plain(sandbox, image, restored)) wrong(number, "label left", restored);
        } else if (has_pair(image)) {
            wrong(number, "ended by itself and left its label", errors);
            soon_plain(sandbox, image, restored);
        }
        if (kind == ENDED && !says(errors, "GuestReset")) wrong(number, "not ended by its guest", errors);
        if (kind == TIMED && !says(errors, "did not answer within") && !says(errors, "did not prepare")) wrong(number, "not ended by its clock", errors);
        progress(starts);
    }
    unlink(image);
    unlink(errors);
    unlink(restored);
}

static int run(int starts, char *sandbox, const char *micro, long seconds) {
    int status, met = 0;
    all = mmap(0, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) die("begin");
    all->begun = now_ms();
    all->last = all->begun + (seconds * 1000);
    int line = open_events();
    pid_t watcher = fork();
    if (watcher == 0) exit(watch(line));
    close(line);
    for (int worker = 1; worker <= WORKERS; worker++) {
        if (fork() != 0) continue;
        work(worker, starts, sandbox, micro);
        exit(0);
    }
    for (int worker = 1; worker <= WORKERS; worker++) {
        pid_t child = waitpid(-1, &status, 0);
        if (child == watcher || status != 0) printf("WORKER DIED %d\n", status);
    }
    // The next start would do it.
    char *const restore[] = {sandbox, "selinux", "restore", 0};
    waitpid(start(restore, "/dev/null"), &status, 0);
    int left = nothing_left();
    while (kill(watcher, SIGTERM), waitpid(watcher, &status, WNOHANG) == 0) usleep(10000);
    for (int landmark = 1; landmark <= LANDMARKS; landmark++) met += all->landmarks_met[landmark];
    printf("%d starts, %d wrong, %d killed, %d of them at %d landmarks, %d labels put back\n", all->done, all->wrong, all->killed, all->at_landmark, met, all->labels_left);
    return left || all->wrong || status != 0;
}

static int kill_at_each(int step, char *sandbox, const char *micro) {
    static const char image[] = "/var/lib/sandbox/images/kill.img", errors[] = "/tmp/churn.kill";
    char reset[256];
    int kills = 0, labels = 0, wrongs = 0;
    snprintf(reset, sizeof reset, "%s/reset.elf", micro);
    make_image(image);
    for (int number = step;; number += step) {
        char *words[] = {sandbox, "run", "--selinux=required", "--disk", (char *)image, "--kernel", reset, "--", "/bin/true", 0};
        int status;
        if (!kill_at(number, words, errors, &status)) break;
        kills++;
        labels += has_pair(image);
        if (!soon_plain(sandbox, image, errors)) printf("LABEL LEFT by %d\n", number), wrongs++;
        // The journal, should the launcher have been killed while it wrote it, and had changed no label yet.
        char *const restore[] = {sandbox, "selinux", "restore", 0};
        waitpid(start(restore, errors), &status, 0);
        if (nothing_left()) printf("after %d\n", number), wrongs++;
    }
    unlink(image);
    unlink(errors);
    printf("%d kills, %d labels put back\n", kills, labels);
    return wrongs;
}

int main(int count, char **words) {
    setvbuf(stdout, 0, _IOLBF, 0);
    if ((count == 5 || count == 6) && !strcmp(words[1], "run")) return run(atoi(words[2]), words[3], words[4], count == 6 ? atoi(words[5]) : 86400);
    if (count == 5 && !strcmp(words[1], "landmarks")) return kill_at_each(atoi(words[2]), words[3], words[4]);
    if (count == 2 && !strcmp(words[1], "left")) return nothing_left();
    return 98;
}
