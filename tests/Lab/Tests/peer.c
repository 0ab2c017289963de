// Two ends of a vsock port: peer serve PATH [COUNT] (on the host: one connection on a Unix socket, or COUNT one after the other) and peer call PORT TEXT (in
// the guest), or peer row PORT COUNT (COUNT calls, one after the other); and the other way round: peer ask PATH TEXT (on the host) and peer listen PORT (in the guest).
// Many at once: peer gather PATH COUNT (accepts all before it answers one) and peer crowd PORT COUNT (in the guest: as many as it gets, all open, then talks on each).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#define MOST 256

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int answer(int connection) {
    char text[4096] = "you said ";
    size_t have = strlen(text);
    for (ssize_t count; (count = read(connection, text + have, sizeof text - have)) > 0;) have += (size_t)count;
    return write(connection, text, have) == (ssize_t)have ? 0 : fail("write");
}

// The answer is left in the text, which ends with a zero.
static int talk(int connection, const char *text, char *answer, size_t room) {
    size_t have = 0;
    if (write(connection, text, strlen(text)) < 0 || shutdown(connection, SHUT_WR)) return fail("write");
    for (ssize_t count; (count = read(connection, answer + have, room - 1 - have)) > 0;) have += (size_t)count;
    answer[have] = 0;
    return close(connection);
}

static int say(int connection, const char *text) {
    char answer[4096];
    if (talk(connection, text, answer, sizeof answer)) return 1;
    puts(answer);
    return 0;
}

static int say_number(int connection, int number) {
    char text[16], answer[64], right[64];
    snprintf(text, sizeof text, "%d", number);
    snprintf(right, sizeof right, "you said %d", number);
    if (talk(connection, text, answer, sizeof answer)) return 1;
    if (!strcmp(answer, right)) return 0;
    fprintf(stderr, "\"%s\" was answered \"%s\"\n", text, answer);
    return 1;
}

static int listener_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, MOST) ? -1 : listener;
}

static int serve(const char *path, int count, int together) {
    int connections[MOST];
    int listener = listener_on(path);
    if (listener < 0) return fail(path);
    for (int index = 0; index < count && index < MOST; index++) {
        connections[index] = accept(listener, NULL, NULL);
        if (connections[index] < 0) return fail("accept");
        if (index == count - 1) close(listener); // whoever has the last answer finds nobody here
        if (!together && (answer(connections[index]) || close(connections[index]))) return 1;
    }
    for (int index = 0; together && index < count && index < MOST; index++)
        if (answer(connections[index]) || close(connections[index])) return 1;
    return 0;
}

static int ask(const char *path, const char *text) {
    int listener = listener_on(path);
    return listener < 0 ? fail(path) : say(accept(listener, NULL, NULL), text);
}

static int listen_in_guest(const char *port) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = (unsigned)strtoul(port, NULL, 10)};
    int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return fail("listen");
    return answer(accept(listener, NULL, NULL));
}

static int connect_to(const char *port) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = (unsigned)strtoul(port, NULL, 10)};
    int connection = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (!connect(connection, (struct sockaddr *)&address, sizeof address)) return connection;
    perror("connect");
    close(connection);
    return -1;
}

static int call(const char *port, const char *text) {
    int connection = connect_to(port);
    return connection < 0 ? 1 : say(connection, text);
}

static int row(const char *port, int count) {
    for (int number = 0; number < count; number++) {
        int connection = connect_to(port);
        if (connection < 0 || say_number(connection, number)) return 1;
    }
    printf("%d in a row\n", count);
    return 0;
}

static int crowd(const char *port, int count) {
    int connections[MOST];
    int have = 0;
    while (have < count && have < MOST && (connections[have] = connect_to(port)) >= 0) have++;
    for (int index = 0; index < have; index++)
        if (say_number(connections[index], index)) return 1;
    printf("%d at once\n", have);
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    int count = argc > 3 ? atoi(argv[3]) : 1;
    if (!strcmp(what, "serve")) return serve(argv[2], count, 0);
    if (!strcmp(what, "gather")) return serve(argv[2], count, 1);
    if (!strcmp(what, "row")) return row(argv[2], count);
    if (!strcmp(what, "crowd")) return crowd(argv[2], count);
    if (!strcmp(what, "listen")) return listen_in_guest(argv[2]);
    if (!strcmp(what, "call") && argc > 3) return call(argv[2], argv[3]);
    if (!strcmp(what, "ask") && argc > 3) return ask(argv[2], argv[3]);
    return 2;
}
