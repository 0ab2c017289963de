// How fast a vsock connection is. Static, so that it runs in any root.
//   vsock-speed unix PATH...     on the host: a connection on each Unix socket, as `sandbox run --vsock PORT=PATH` makes it
//   vsock-speed vsock PORT...    on the host: one on each port of the host's kernel (vhost-vsock)
//   vsock-speed call PORT SECONDS    in the guest: a byte there and back again and again by PORT, bytes there by PORT + 1, bytes back by PORT + 2;
//                                    prints "figure vsock-round-trip MILLISECONDS", "figure vsock-send KIB" and "figure vsock-receive KIB"
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

enum { PIECE = 65536, MOST = 8 };

static char piece[PIECE];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_vm address_of(unsigned cid, unsigned port) {
    return (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
}

// The caller's first byte says what it wants: 'e', that each byte returns; 's', that bytes are taken and counted; 'r', bytes until it hangs up.
static void *serve(void *argument) {
    int listener = (int)(intptr_t)argument, connection = accept(listener, NULL, NULL);
    char buffer[PIECE], what = 0;
    if (connection < 0 || read(connection, &what, 1) != 1) fail("accept");
    uint64_t taken = 0;
    if (what == 'r') while (write(connection, piece, sizeof piece) > 0);
    for (ssize_t count; what != 'r' && (count = read(connection, buffer, sizeof buffer)) > 0; taken += (uint64_t)count)
        if (what == 'e' && write(connection, buffer, (size_t)count) != count) fail("echo");
    if (what == 's' && write(connection, &taken, sizeof taken) != sizeof taken) fail("count");
    close(connection);
    return NULL;
}

static int listen_all(int count, char **names, int isUnix) {
    pthread_t threads[MOST];
    for (int index = 0; index < count; index++) {
        struct sockaddr_un path = {.sun_family = AF_UNIX};
        struct sockaddr_vm port = address_of(VMADDR_CID_ANY, (unsigned)atoi(names[index]));
        strncpy(path.sun_path, names[index], sizeof path.sun_path - 1);
        int listener = socket(isUnix ? AF_UNIX : AF_VSOCK, SOCK_STREAM, 0);
        if (bind(listener, isUnix ? (struct sockaddr *)&path : (struct sockaddr *)&port, isUnix ? sizeof path : sizeof port) || listen(listener, 1)) fail(names[index]);
        if (pthread_create(&threads[index], NULL, serve, (void *)(intptr_t)listener)) fail("thread");
    }
    for (int index = 0; index < count; index++) pthread_join(threads[index], NULL);
    return 0;
}

static int connect_for(unsigned port, char what) {
    struct sockaddr_vm address = address_of(VMADDR_CID_HOST, port);
    int connection = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) || write(connection, &what, 1) != 1) fail("connect");
    return connection;
}

static void round_trip(unsigned port, double seconds) {
    int connection = connect_for(port, 'e'), count = 0;
    char byte = 1;
    double begin = now();
    for (; now() - begin < seconds; count++)
        if (write(connection, &byte, 1) != 1 || read(connection, &byte, 1) != 1) fail("round trip");
    printf("figure vsock-round-trip %.3f\n", (now() - begin) * 1000 / count);
    close(connection);
}

static void send_bytes(unsigned port, double seconds) {
    int connection = connect_for(port, 's');
    uint64_t taken = 0;
    double begin = now();
    while (now() - begin < seconds)
        if (write(connection, piece, sizeof piece) < 0) fail("send");
    if (shutdown(connection, SHUT_WR) || read(connection, &taken, sizeof taken) != sizeof taken) fail("count");
    printf("figure vsock-send %.0f\n", (double)taken / 1024 / (now() - begin));
    close(connection);
}

static void receive_bytes(unsigned port, double seconds) {
    int connection = connect_for(port, 'r');
    uint64_t got = 0;
    double begin = now();
    for (ssize_t count; now() - begin < seconds; got += (uint64_t)count)
        if ((count = read(connection, piece, sizeof piece)) <= 0) fail("receive");
    printf("figure vsock-receive %.0f\n", (double)got / 1024 / (now() - begin));
    close(connection);
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    if ((!strcmp(what, "unix") || !strcmp(what, "vsock")) && argc - 2 <= MOST) return listen_all(argc - 2, argv + 2, !strcmp(what, "unix"));
    if (!strcmp(what, "call") && argc == 4) {
        unsigned port = (unsigned)atoi(argv[2]);
        round_trip(port, atof(argv[3]));
        send_bytes(port + 1, atof(argv[3]));
        receive_bytes(port + 2, atof(argv[3]));
        return 0;
    }
    fputs("usage: at the top of vsock-speed.c\n", stderr);
    return 2;
}
