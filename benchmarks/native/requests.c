/*
 * The client of what wrk cannot do, or does at its leisure: HEAD, heads in two packets, several requests in one write.
 *
 *   requests head  PORT FILE SIZE CONNECTIONS SECONDS LENGTH   as they are; answers of that length without content
 *   requests split PORT FILE SIZE CONNECTIONS SECONDS LENGTH   in two packets; the content must be the pattern
 *   requests four  PORT FILE SIZE CONNECTIONS SECONDS LENGTH   four in one write; the content must be the pattern
 *
 * FILE holds requests of SIZE octets each, sent in turn. Prints one line of JSON as `load` does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define IN_SIZE 65536
#define MAX_CONNECTIONS 1024
#define MAX_SAMPLES 4000000
#define GRACE 10000000 /* microseconds that the last answer may take */
#define PAUSE 1000     /* microseconds between two packets: the first has been read by then */

struct connection {
    int fd, idle;
    unsigned due; /* answers of what was sent */
    uint64_t since, second_due; /* when the second packet leaves; 0: it has left */
    const char *text;
    size_t have;
    char in[IN_SIZE + 1];
};

static struct connection connections[MAX_CONNECTIONS];
static uint32_t *samples;
static char *texts;
static size_t size, count_of_texts, turn, length;
static int split, without_content;
static unsigned batch = 1;
static uint64_t deadline, completed, errors;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void fail(struct connection *c) {
    if (errors++ < 3)
        fprintf(stderr, "%.200s\n", c->in);
    close(c->fd);
    c->idle = 1;
}

static void send_all(struct connection *c, const char *from, size_t octets) {
    if (send(c->fd, from, octets, MSG_NOSIGNAL) != (ssize_t)octets)
        fail(c);
}

static void ask(struct connection *c) {
    c->text = texts + turn * size;
    turn = (turn + batch) % count_of_texts;
    c->due = batch;
    c->have = 0;
    c->since = now();
    c->second_due = split ? c->since + PAUSE : 0;
    send_all(c, c->text, split ? size / 2 : size * batch);
}

static void send_second_packets(unsigned count) {
    uint64_t time = now();
    for (unsigned i = 0; i < count; i++) {
        struct connection *c = &connections[i];
        if (!c->idle && c->second_due && time >= c->second_due) {
            c->second_due = 0;
            send_all(c, c->text + size / 2, size - size / 2);
        }
    }
}

/* Octets of the first answer if it is whole and right, 0 if it is not whole yet, -1 if it is wrong. */
static ssize_t judge(struct connection *c) {
    char field[64], *end;
    size_t head, content = without_content ? 0 : length;
    c->in[c->have] = 0;
    if (!(end = strstr(c->in, "\r\n\r\n")))
        return 0;
    head = (size_t)(end - c->in) + 4;
    sprintf(field, "\r\nContent-Length: %zu\r\n", length);
    end = strcasestr(c->in, field);
    if (c->second_due || strncmp(c->in + 8, " 200 ", 5) || !end || end > c->in + head)
        return -1;
    if (c->have < head + content)
        return 0;
    return memcmp(c->in + head, pattern, content) ? -1 : (ssize_t)(head + content);
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, 0);
    ssize_t right = 0;
    if (c->idle)
        return;
    if (n <= 0) {
        fail(c);
        return;
    }
    c->have += (size_t)n;
    while (c->due && (right = judge(c)) > 0) {
        if (completed < MAX_SAMPLES)
            samples[completed] = (uint32_t)(now() - c->since);
        completed++;
        c->due--;
        c->have -= (size_t)right;
        memmove(c->in, c->in + right, c->have);
    }
    if (right < 0 || (!c->due && c->have)) {
        fail(c);
    } else if (!c->due) {
        if (now() < deadline) {
            ask(c);
        } else {
            close(c->fd);
            c->idle = 1;
        }
    }
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int read_texts(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file)
        return 0;
    texts = malloc(1 << 20);
    count_of_texts = fread(texts, 1, 1 << 20, file) / size;
    fclose(file);
    count_of_texts -= count_of_texts % batch;
    return count_of_texts > 0;
}

int main(int argc, char **argv) {
    struct sockaddr_in peer = {.sin_family = AF_INET};
    struct epoll_event ready[256];
    uint64_t started, taken;
    unsigned count, busy = 1;
    size_t kept;
    int poller, yes = 1;
    if (argc != 8)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    make_pattern();
    split = !strcmp(argv[1], "split");
    without_content = !strcmp(argv[1], "head");
    batch = !strcmp(argv[1], "four") ? 4 : 1;
    peer.sin_port = htons((uint16_t)atoi(argv[2]));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = strtoul(argv[4], NULL, 10);
    count = (unsigned)atoi(argv[5]);
    length = strtoul(argv[7], NULL, 10);
    if (!size || count > MAX_CONNECTIONS || length > IN_SIZE / 2 || !read_texts(argv[3]))
        return 2;
    samples = malloc(MAX_SAMPLES * sizeof *samples);
    poller = epoll_create1(EPOLL_CLOEXEC);
    started = now();
    deadline = started + (uint64_t)(atof(argv[6]) * 1e6);
    for (unsigned i = 0; i < count; i++) {
        struct connection *c = &connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
        if (connect(c->fd, (struct sockaddr *)&peer, sizeof peer))
            fail(c);
        else
            ask(c);
    }
    while (busy && now() < deadline + GRACE) {
        int n = epoll_wait(poller, ready, 256, 1);
        for (int i = 0; i < n; i++)
            on_readable(ready[i].data.ptr);
        if (split)
            send_second_packets(count);
        busy = 0;
        for (unsigned i = 0; i < count; i++)
            busy += !connections[i].idle;
    }
    taken = now() - started;
    kept = completed < MAX_SAMPLES ? completed : MAX_SAMPLES;
    qsort(samples, kept, sizeof *samples, compare);
    printf("{\"completed\": %llu, \"errors\": %llu, \"seconds\": %.6f, \"p50_us\": %u, \"p99_us\": %u}\n",
           (unsigned long long)completed, (unsigned long long)errors + (unsigned long long)busy, (double)taken / 1e6,
           kept ? samples[kept / 2] : 0, kept ? samples[kept * 99 / 100] : 0);
    return 0;
}
