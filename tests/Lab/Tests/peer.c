// Two ends of a vsock port: peer serve PATH (on the host: one connection on a Unix socket) and peer call PORT TEXT (in the guest).
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

static int serve(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[4096] = "you said ";
    size_t have = strlen(text);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return fail(path);
    int connection = accept(listener, NULL, NULL);
    for (ssize_t count; (count = read(connection, text + have, sizeof text - have)) > 0;) have += (size_t)count;
    return write(connection, text, have) == (ssize_t)have ? 0 : fail("write");
}

static int call(const char *port, const char *text) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = (unsigned)strtoul(port, NULL, 10)};
    char answer[4096];
    int connection = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address)) return fail("connect");
    if (write(connection, text, strlen(text)) < 0 || shutdown(connection, SHUT_WR)) return fail("write");
    for (ssize_t count; (count = read(connection, answer, sizeof answer)) > 0;) fwrite(answer, 1, (size_t)count, stdout);
    puts("");
    return 0;
}

int main(int argc, char **argv) {
    return argc == 3 && !strcmp(argv[1], "serve") ? serve(argv[2]) : argc == 4 && !strcmp(argv[1], "call") ? call(argv[2], argv[3]) : 2;
}
