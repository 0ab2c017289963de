// Two ends of a vsock port: peer serve PATH (on the host: one connection on a Unix socket) and peer call PORT TEXT (in the guest); and the other way
// round: peer ask PATH TEXT (on the host) and peer listen PORT (in the guest).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

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

static int say(int connection, const char *text) {
    char answer[4096];
    if (write(connection, text, strlen(text)) < 0 || shutdown(connection, SHUT_WR)) return fail("write");
    for (ssize_t count; (count = read(connection, answer, sizeof answer)) > 0;) fwrite(answer, 1, (size_t)count, stdout);
    puts("");
    return 0;
}

static int serve(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return fail(path);
    return answer(accept(listener, NULL, NULL));
}

static int ask(const char *path, const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return fail(path);
    return say(accept(listener, NULL, NULL), text);
}

static int listen_in_guest(const char *port) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = (unsigned)strtoul(port, NULL, 10)};
    int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return fail("listen");
    return answer(accept(listener, NULL, NULL));
}

static int call(const char *port, const char *text) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = (unsigned)strtoul(port, NULL, 10)};
    int connection = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address)) return fail("connect");
    return say(connection, text);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    if (!strcmp(what, "serve")) return serve(argv[2]);
    if (!strcmp(what, "listen")) return listen_in_guest(argv[2]);
    if (!strcmp(what, "call") && argc > 3) return call(argv[2], argv[3]);
    if (!strcmp(what, "ask") && argc > 3) return ask(argv[2], argv[3]);
    return 2;
}
