/*
 * The clients that wrk is not: WebSockets, and large bodies compared byte for byte.
 *
 *   load echo      PORT HOST CONNECTIONS SECONDS SIZE    round trips of one message a connection
 *   load open      PORT HOST CONNECTIONS SECONDS COUNT   opening and closing WebSockets, COUNT at most
 *   load download  PORT HOST CONNECTIONS SECONDS LENGTH  GET /large, one after the other on each connection
 *
 * Prints one line of JSON: units completed, errors, seconds, and the median and 99th percentile of their microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define IN_SIZE (256 * 1024)
#define MAX_CONNECTIONS 1024
#define MAX_SAMPLES 4000000
#define GRACE 10000000 /* microseconds that the last unit may take */

enum mode { ECHO, OPEN, DOWNLOAD };
enum state { IDLE, UPGRADING, TALKING, CLOSING, HEAD, BODY };

struct connection {
    int fd;
    enum state state;
    uint64_t since;
    size_t have, body;
    char in[IN_SIZE + 1];
};

static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455 section 1.3: the answer to its sample key */
static const unsigned char MASK[4] = {0x37, 0xfa, 0x21, 0x3d};
static const unsigned char CLOSE[] = {0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x03 ^ 0x37, 0xe8 ^ 0xfa};
static const unsigned char CLOSED[] = {0x88, 0x02, 0x03, 0xe8};

static enum mode mode;
static int poller;
static uint64_t deadline, completed, errors;
static size_t amount; /* bytes of a message or body, or count of openings */
static struct sockaddr_in peer;
static char request[512], message[70000], expected[70000];
static size_t request_length, message_length, expected_length;
static uint32_t *samples;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static size_t frame_header(char *frame, int masked) {
    frame[0] = (char)0x82;
    if (amount < 126) {
        frame[1] = (char)(amount | (masked ? 128 : 0));
        return 2;
    }
    frame[1] = (char)(126 | (masked ? 128 : 0));
    frame[2] = (char)(amount >> 8);
    frame[3] = (char)amount;
    return 4;
}

static void prepare_frames(void) {
    size_t header = frame_header(message, 1);
    memcpy(message + header, MASK, 4);
    for (size_t i = 0; i < amount; i++)
        message[header + 4 + i] = (char)(pattern[i] ^ MASK[i & 3]);
    message_length = header + 4 + amount;
    header = frame_header(expected, 0);
    memcpy(expected + header, pattern, amount);
    expected_length = header + amount;
}

static void prepare(const char *host) {
    make_pattern();
    if (mode == DOWNLOAD)
        request_length = (size_t)snprintf(request, sizeof request, "GET /large HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    else
        request_length = (size_t)snprintf(
            request, sizeof request,
            "GET /socket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://%s\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            host, host);
    if (mode == ECHO)
        prepare_frames();
}

static int tell(struct connection *c, const void *bytes, size_t length) {
    return send(c->fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static int connect_and_ask(struct connection *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int yes = 1, size = 256 * 1024;
    c->since = now();
    c->have = 0;
    c->state = mode == DOWNLOAD ? HEAD : UPGRADING;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (mode == ECHO)
        setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (connect(c->fd, (struct sockaddr *)&peer, sizeof peer))
        return 0;
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    return tell(c, request, request_length);
}

static int due(void) { return now() < deadline && (mode != OPEN || completed < amount); }

static void count(struct connection *c) {
    if (completed < MAX_SAMPLES)
        samples[completed] = (uint32_t)(now() - c->since);
    completed++;
}

static void quit(struct connection *c) {
    close(c->fd);
    c->state = IDLE;
}

/* Reads the head of an answer: its length, 0 if it is not whole yet, -1 if it is not the one wanted. */
static ssize_t answer_head(struct connection *c, const char *status, const char *needed) {
    char *end;
    c->in[c->have] = 0;
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return 0;
    end[2] = 0;
    if (strncmp(c->in, status, strlen(status)) || !strcasestr(c->in, needed))
        return -1;
    return end - c->in + 4;
}

static int send_message(struct connection *c) {
    c->since = now();
    c->have = 0;
    return tell(c, message, message_length);
}

static int on_upgraded(struct connection *c) {
    ssize_t head = answer_head(c, "HTTP/1.1 101 ", ACCEPT);
    if (head <= 0)
        return head == 0;
    if ((size_t)head != c->have)
        return 0;
    if (mode == ECHO) {
        c->state = TALKING;
        return send_message(c);
    }
    c->state = CLOSING;
    c->have = 0;
    return tell(c, CLOSE, sizeof CLOSE);
}

static int on_message(struct connection *c) {
    if (c->have < expected_length)
        return 1;
    if (c->have > expected_length || memcmp(c->in, expected, expected_length))
        return 0;
    count(c);
    if (due())
        return send_message(c);
    quit(c);
    return 1;
}

static int on_closed(struct connection *c) {
    if (c->have != sizeof CLOSED || memcmp(c->in, CLOSED, sizeof CLOSED))
        return 0;
    count(c);
    quit(c);
    return due() ? connect_and_ask(c) : 1;
}

static int on_body(struct connection *c, const char *bytes, size_t length) {
    if (length > amount - c->body || memcmp(bytes, pattern + c->body % PERIOD, length))
        return 0;
    c->body += length;
    c->have = 0;
    if (c->body < amount)
        return 1;
    count(c);
    if (!due()) {
        quit(c);
        return 1;
    }
    c->since = now();
    c->state = HEAD;
    return tell(c, request, request_length);
}

static int on_head(struct connection *c) {
    char field[64];
    ssize_t head;
    sprintf(field, "\r\nContent-Length: %zu\r\n", amount);
    head = answer_head(c, "HTTP/1.1 200 ", field);
    if (head <= 0)
        return head == 0;
    c->state = BODY;
    c->body = 0;
    return on_body(c, c->in + head, c->have - (size_t)head);
}

/* Takes what arrived: 0 if the connection cannot go on. */
static int on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, 0);
    if (n == 0 && c->state == CLOSING)
        return on_closed(c);
    if (n <= 0)
        return 0;
    c->have += (size_t)n;
    switch (c->state) {
    case UPGRADING: return on_upgraded(c);
    case TALKING: return on_message(c);
    case CLOSING: return c->have <= sizeof CLOSED;
    case HEAD: return on_head(c);
    case BODY: return on_body(c, c->in, c->have);
    default: return 0;
    }
}

static void fail(struct connection *c) {
    errors++;
    quit(c);
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    static struct connection *connections[MAX_CONNECTIONS];
    struct epoll_event ready[256];
    uint64_t started, taken;
    size_t count_of, kept;
    int busy = 1;
    if (argc != 7)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    mode = !strcmp(argv[1], "echo") ? ECHO : !strcmp(argv[1], "open") ? OPEN : DOWNLOAD;
    peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    count_of = strtoul(argv[4], NULL, 10);
    amount = strtoul(argv[6], NULL, 10);
    if (count_of > MAX_CONNECTIONS || (mode == ECHO && amount >= 65536))
        return 2;
    samples = malloc(MAX_SAMPLES * sizeof *samples);
    poller = epoll_create1(EPOLL_CLOEXEC);
    prepare(argv[3]);
    started = now();
    deadline = started + (uint64_t)(atof(argv[5]) * 1e6);
    for (size_t i = 0; i < count_of; i++) {
        connections[i] = calloc(1, sizeof **connections);
        if (!connect_and_ask(connections[i]))
            fail(connections[i]);
    }
    while (busy && now() < deadline + GRACE) {
        int n = epoll_wait(poller, ready, 256, 100);
        for (int i = 0; i < n; i++)
            if (!on_readable(ready[i].data.ptr))
                fail(ready[i].data.ptr);
        busy = 0;
        for (size_t i = 0; i < count_of; i++)
            busy |= connections[i]->state != IDLE;
    }
    taken = now() - started;
    kept = completed < MAX_SAMPLES ? completed : MAX_SAMPLES;
    qsort(samples, kept, sizeof *samples, compare);
    printf("{\"completed\": %llu, \"errors\": %llu, \"seconds\": %.6f, \"p50_us\": %u, \"p99_us\": %u}\n",
           (unsigned long long)completed, (unsigned long long)errors + (unsigned long long)busy, (double)taken / 1e6,
           kept ? samples[kept / 2] : 0, kept ? samples[kept * 99 / 100] : 0);
    return 0;
}
