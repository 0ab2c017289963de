// Traffic on vsock ports (`sandbox run --vsock PORT=PATH`). Static, so that it runs in any root.
//   vsock serve PATH...                  on the host: returns on each connection of each Unix socket what comes, until its end; until it is killed
//   vsock streams FIRST COUNT BYTES      in the guest: that many bytes to and from each port at once, then half a close; checks every byte
//   vsock calls SECONDS FIRST COUNT      in the guest: one connection after the other, by several threads, some bytes there and back on each, checked
//   vsock storm SECONDS                  in the guest: connections that cannot be had, by several threads, some given up at once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

enum { PIECE = 32768, MOST = 64, STORMERS = 8, CALL = 8192 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_vm host(unsigned port) {
    return (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
}

// The byte of a stream at a place: another row for each port, and none that repeats within a buffer.
static unsigned char byte_at(unsigned port, uint64_t place) {
    uint64_t value = (place / 8 + port) * 0x9E3779B97F4A7C15u;
    return (unsigned char)((value ^ (value >> 29)) >> (8 * (place % 8)));
}

static void *echo(void *argument) {
    int connection = (int)(intptr_t)argument;
    static __thread char buffer[PIECE];
    ssize_t count = 0, written = 0;
    while (written >= 0 && (count = read(connection, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0; done < count; done += written)
            if ((written = write(connection, buffer + done, (size_t)(count - done))) < 0) break; // the guest's end has gone
    close(connection);
    return NULL;
}

static void *answer(void *argument) {
    int listener = (int)(intptr_t)argument;
    for (int connection; (connection = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, echo, (void *)(intptr_t)connection) || pthread_detach(thread)) fail("thread");
    }
    fail("accept");
    return NULL;
}

static int serve(int count, char **paths) {
    pthread_t threads[MOST];
    for (int index = 0; index < count; index++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, paths[index], sizeof address.sun_path - 1);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) fail(paths[index]);
        if (pthread_create(&threads[index], NULL, answer, (void *)(intptr_t)listener)) fail("thread");
    }
    for (int index = 0; index < count; index++) pthread_join(threads[index], NULL);
    return 0;
}

static uint64_t stream_bytes;

struct stream {
    unsigned port;
    int connection;
};

static void *send_stream(void *argument) {
    struct stream *stream = argument;
    static __thread unsigned char buffer[PIECE];
    for (uint64_t sent = 0; sent < stream_bytes;) {
        size_t room = stream_bytes - sent < PIECE ? (size_t)(stream_bytes - sent) : PIECE;
        for (size_t index = 0; index < room; index++) buffer[index] = byte_at(stream->port, sent + index);
        for (size_t done = 0; done < room;) {
            ssize_t written = write(stream->connection, buffer + done, room - done);
            if (written <= 0) fail("write stream");
            done += (size_t)written;
        }
        sent += room;
    }
    if (shutdown(stream->connection, SHUT_WR)) fail("shutdown");
    return NULL;
}

static void *receive_stream(void *argument) {
    struct stream *stream = argument;
    static __thread unsigned char buffer[PIECE];
    uint64_t received = 0;
    for (ssize_t count; (count = read(stream->connection, buffer, sizeof buffer)) != 0; received += (uint64_t)count) {
        if (count < 0) fail("read stream");
        for (ssize_t index = 0; index < count; index++)
            if (buffer[index] != byte_at(stream->port, received + (uint64_t)index)) {
                fprintf(stderr, "port %u: byte %llu is wrong\n", stream->port, (unsigned long long)(received + (uint64_t)index));
                exit(1);
            }
    }
    if (received != stream_bytes) {
        fprintf(stderr, "port %u: %llu bytes came back\n", stream->port, (unsigned long long)received);
        exit(1);
    }
    return NULL;
}

static int streams(unsigned first, int count) {
    pthread_t threads[MOST * 2];
    static struct stream all[MOST];
    for (int index = 0; index < count; index++) {
        struct sockaddr_vm address = host(first + (unsigned)index);
        all[index] = (struct stream){first + (unsigned)index, socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (connect(all[index].connection, (struct sockaddr *)&address, sizeof address)) fail("connect stream");
    }
    for (int index = 0; index < count; index++)
        if (pthread_create(&threads[2 * index], NULL, send_stream, &all[index]) || pthread_create(&threads[2 * index + 1], NULL, receive_stream, &all[index]))
            fail("thread");
    for (int index = 0; index < 2 * count; index++) pthread_join(threads[index], NULL);
    printf("vsock: %d streams at once, %llu bytes there and back on each, every byte right\n", count, (unsigned long long)stream_bytes);
    return 0;
}

static unsigned call_first, call_count;
static time_t call_end;
static unsigned long called[STORMERS], late_calls[STORMERS];

static void *call(void *argument) {
    unsigned me = (unsigned)(intptr_t)argument, seed = me + 1;
    static __thread unsigned char buffer[CALL];
    while (time(NULL) < call_end) {
        unsigned port = call_first + (unsigned)rand_r(&seed) % call_count, first = (unsigned)rand_r(&seed);
        size_t bytes = 1 + (size_t)rand_r(&seed) % CALL, received = 0;
        struct sockaddr_vm address = host(port);
        int connection = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connection < 0) fail("socket");
        if (connect(connection, (struct sockaddr *)&address, sizeof address)) {
            if (errno != ETIMEDOUT) fail("call");
            late_calls[me]++; // two seconds of the guest's clock
            close(connection);
            continue;
        }
        for (size_t index = 0; index < bytes; index++) buffer[index] = byte_at(port, first + index);
        for (size_t done = 0; done < bytes;) {
            ssize_t written = write(connection, buffer + done, bytes - done);
            if (written <= 0) fail("write call");
            done += (size_t)written;
        }
        if (shutdown(connection, SHUT_WR)) fail("shutdown call");
        for (ssize_t count; (count = read(connection, buffer, sizeof buffer)) != 0; received += (size_t)count) {
            if (count < 0) fail("read call");
            for (ssize_t index = 0; index < count; index++)
                if (buffer[index] != byte_at(port, first + received + (size_t)index)) {
                    fprintf(stderr, "a call of port %u: byte %zu is wrong\n", port, received + (size_t)index);
                    exit(1);
                }
        }
        if (received != bytes) {
            fprintf(stderr, "a call of port %u: %zu of %zu bytes came back\n", port, received, bytes);
            exit(1);
        }
        close(connection);
        called[me]++;
    }
    return NULL;
}

static int calls(int seconds) {
    pthread_t threads[STORMERS];
    unsigned long all = 0, late = 0;
    call_end = time(NULL) + seconds;
    for (int index = 0; index < STORMERS; index++)
        if (pthread_create(&threads[index], NULL, call, (void *)(intptr_t)index)) fail("thread");
    for (int index = 0; index < STORMERS; index++) {
        pthread_join(threads[index], NULL);
        all += called[index];
        late += late_calls[index];
    }
    printf("vsock: %lu connections, %d at once, up to %d bytes there and back on each, every byte right; %lu unanswered for two seconds\n", all, STORMERS, CALL, late);
    return 0;
}

static time_t storm_end;
static unsigned long refused[STORMERS], given_up[STORMERS], late[STORMERS];

static void *storm(void *argument) {
    unsigned me = (unsigned)(intptr_t)argument, seed = me + 1;
    while (time(NULL) < storm_end) {
        unsigned port = 20000 + (unsigned)rand_r(&seed) % 20000; // leads nowhere
        int impatient = rand_r(&seed) % 4 == 0;
        struct sockaddr_vm address = host(port);
        int connection = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | (impatient ? SOCK_NONBLOCK : 0), 0);
        if (connection < 0) fail("socket");
        if (connect(connection, (struct sockaddr *)&address, sizeof address) == 0) {
            fprintf(stderr, "a connection to port %u was taken\n", port);
            exit(1);
        }
        if (impatient ? errno == EINPROGRESS || errno == ECONNRESET : errno == ECONNRESET) (impatient ? given_up : refused)[me]++;
        else if (errno == ETIMEDOUT) late[me]++; // two seconds of the guest's clock
        else fail("connect");
        close(connection);
    }
    return NULL;
}

static int storms(int seconds) {
    pthread_t threads[STORMERS];
    unsigned long all[3] = {0, 0, 0};
    storm_end = time(NULL) + seconds;
    for (int index = 0; index < STORMERS; index++)
        if (pthread_create(&threads[index], NULL, storm, (void *)(intptr_t)index)) fail("thread");
    for (int index = 0; index < STORMERS; index++) {
        pthread_join(threads[index], NULL);
        all[0] += refused[index];
        all[1] += given_up[index];
        all[2] += late[index];
    }
    printf("vsock: %lu connections refused, %lu given up by the guest before an answer, %lu unanswered for two seconds, none taken\n", all[0], all[1], all[2]);
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 2 ? argv[1] : "";
    if (!strcmp(what, "serve") && argc - 2 <= MOST) return serve(argc - 2, argv + 2);
    if (!strcmp(what, "streams") && argc == 5 && atoi(argv[3]) <= MOST) {
        stream_bytes = strtoull(argv[4], NULL, 10);
        return streams((unsigned)atoi(argv[2]), atoi(argv[3]));
    }
    if (!strcmp(what, "calls") && argc == 5) {
        call_first = (unsigned)atoi(argv[3]);
        call_count = (unsigned)atoi(argv[4]);
        return calls(atoi(argv[2]));
    }
    if (!strcmp(what, "storm") && argc == 3) return storms(atoi(argv[2]));
    fputs("usage: at the top of vsock.c\n", stderr);
    return 2;
}
