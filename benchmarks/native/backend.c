/*
 * The application behind every contender: answers all tasks of the benchmarks at the least cost, and nothing else.
 *
 *   GET /small    1 KiB with a length         GET /chunked  20 KiB in five chunks, one write
 *   HEAD /small   the head of that            GET /tagged   as /small with an ETag; 304 if If-None-Match is there
 *   GET /large    50 MiB with a length        GET /echo     the request's head, as it arrived
 *   POST /upload  204 if the body is the pattern, else 400
 *   GET /socket   WebSocket that echoes each frame, and answers pings and closes
 *
 * Prints its port and serves 127.0.0.1 on one thread until its parent ends.
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
#include <unistd.h>

#include "pattern.h"
#include "sha1.h"

#define IN_SIZE 65536
#define OUT_SIZE (256 * 1024)
#define LARGE (50ull * 1024 * 1024)
#define FIELDS                                                                                                         \
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: backend\r\nContent-Type: text/plain; charset=utf-8\r\n"            \
    "Cache-Control: max-age=0, private, must-revalidate\r\n"
#define TAG "ETag: \"1024\"\r\n"

struct connection {
    int fd;
    int websocket;
    int closing;
    size_t have;           /* bytes in `in` */
    char *waiting;         /* bytes the kernel did not take yet */
    size_t waiting_length;
    uint64_t large_left;   /* of the 50 MiB answer */
    char in[IN_SIZE + 1];
};

static int poller;
static char out[OUT_SIZE];
static size_t out_length;
static char small[2048], tagged[2048], chunked[32768];
static size_t small_length, tagged_length, chunked_length;

static void put(const void *bytes, size_t length) {
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static void put_text(const char *text) { put(text, strlen(text)); }

static void prepare_answers(void) {
    make_pattern();
    small_length = (size_t)sprintf(small, "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 1024\r\n\r\n");
    memcpy(small + small_length, pattern, 1024);
    small_length += 1024;
    tagged_length = (size_t)sprintf(tagged, "HTTP/1.1 200 OK\r\n" FIELDS TAG "Content-Length: 1024\r\n\r\n");
    memcpy(tagged + tagged_length, pattern, 1024);
    tagged_length += 1024;
    chunked_length = (size_t)sprintf(chunked, "HTTP/1.1 200 OK\r\n" FIELDS "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < 5; i++) {
        chunked_length += (size_t)sprintf(chunked + chunked_length, "1000\r\n");
        memcpy(chunked + chunked_length, pattern + 4096 * i, 4096);
        chunked_length += 4096;
        chunked_length += (size_t)sprintf(chunked + chunked_length, "\r\n");
    }
    chunked_length += (size_t)sprintf(chunked + chunked_length, "0\r\n\r\n");
}

static void upgrade(const char *head) {
    char joined[128], accept[32];
    const char *key = strcasestr(head, "\r\nsec-websocket-key:");
    size_t length;
    if (!key) {
        put_text("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    key += strlen("\r\nsec-websocket-key:");
    key += strspn(key, " \t");
    length = strcspn(key, " \t\r");
    if (length > 64)
        length = 64;
    sprintf(joined, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)length, key);
    sha1_base64(joined, accept);
    put_text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
    put_text(accept);
    put_text("\r\n\r\n");
}

/* Answers the first request in the buffer: bytes used, 0 if it is not whole yet, -1 if it cannot be served. */
static ssize_t answer_request(struct connection *c) {
    char *end, *length_field;
    size_t head, body = 0;
    c->in[c->have] = 0;
    end = memmem(c->in, c->have, "\r\n\r\n", 4);
    if (!end)
        return c->have == IN_SIZE ? -1 : 0;
    head = (size_t)(end - c->in) + 4;
    if (!strncmp(c->in, "POST ", 5)) {
        length_field = strcasestr(c->in, "\r\ncontent-length:");
        if (!length_field || length_field > end)
            return -1;
        body = strtoul(length_field + strlen("\r\ncontent-length:"), NULL, 10);
        if (head + body > IN_SIZE)
            return -1;
        if (c->have < head + body)
            return 0;
        put_text(memcmp(end + 4, pattern, body) ? "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
                                                : "HTTP/1.1 204 No Content\r\n" FIELDS "\r\n");
    } else if (!strncmp(c->in, "GET /small ", 11)) {
        put(small, small_length);
    } else if (!strncmp(c->in, "HEAD /small ", 12)) {
        put(small, small_length - 1024);
    } else if (!strncmp(c->in, "GET /tagged ", 12)) {
        const char *condition = strcasestr(c->in, "\r\nif-none-match: ");
        if (condition && condition < end)
            put_text("HTTP/1.1 304 Not Modified\r\n" FIELDS TAG "\r\n");
        else
            put(tagged, tagged_length);
    } else if (!strncmp(c->in, "GET /chunked ", 13)) {
        put(chunked, chunked_length);
    } else if (!strncmp(c->in, "GET /large ", 11)) {
        out_length += (size_t)sprintf(out + out_length, "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: %llu\r\n\r\n", LARGE);
        c->large_left = LARGE;
    } else if (!strncmp(c->in, "GET /echo ", 10)) {
        out_length += (size_t)sprintf(out + out_length, "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: %zu\r\n\r\n", head);
        put(c->in, head);
    } else if (!strncmp(c->in, "GET /socket ", 12)) {
        end[2] = 0;
        upgrade(c->in);
        c->websocket = 1;
    } else {
        put_text("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    return (ssize_t)(head + body);
}

/* Echoes the first frame in the buffer, unmasked: bytes used, 0 if it is not whole yet, -1 if it cannot be served. */
static ssize_t answer_frame(struct connection *c, unsigned char *frame, size_t have) {
    size_t header = 2, length;
    unsigned char opcode, mask[4];
    if (have < 2)
        return 0;
    opcode = frame[0] & 15;
    length = frame[1] & 127;
    if (!(frame[1] & 128) || length == 127)
        return -1;
    if (length == 126) {
        if (have < 4)
            return 0;
        length = (size_t)frame[2] << 8 | frame[3];
        header = 4;
    }
    if (header + 4 + length > IN_SIZE)
        return -1;
    if (have < header + 4 + length)
        return 0;
    memcpy(mask, frame + header, 4);
    frame[1] &= 127;
    if (opcode == 9)
        frame[0] = (unsigned char)((frame[0] & 0xf0) | 10);
    if (opcode == 8)
        c->closing = 1;
    if (opcode != 10) {
        unsigned char *target = (unsigned char *)out + out_length + header;
        const unsigned char *source = frame + header + 4;
        put(frame, header);
        for (size_t i = 0; i < length; i++)
            target[i] = source[i] ^ mask[i & 3];
        out_length += length;
    }
    return (ssize_t)(header + 4 + length);
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c->waiting);
    free(c);
}

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sends as much of these bytes as the kernel takes: bytes taken, -1 if the connection is gone. */
static ssize_t push(struct connection *c, const char *bytes, size_t length) {
    ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* Sends what is due: 1 all sent, 0 the kernel's buffer is full, -1 the connection is gone. */
static int flush(struct connection *c) {
    ssize_t n;
    if (out_length) {
        n = push(c, out, out_length);
        if (n < 0)
            return -1;
        if ((size_t)n < out_length) {
            c->waiting_length = out_length - (size_t)n;
            c->waiting = malloc(c->waiting_length);
            memcpy(c->waiting, out + n, c->waiting_length);
        }
        out_length = 0;
    } else if (c->waiting_length) {
        n = push(c, c->waiting, c->waiting_length);
        if (n < 0)
            return -1;
        c->waiting_length -= (size_t)n;
        memmove(c->waiting, c->waiting + n, c->waiting_length);
    }
    if (c->waiting_length)
        return 0;
    free(c->waiting);
    c->waiting = NULL;
    while (c->large_left) {
        size_t from = (size_t)((LARGE - c->large_left) % PERIOD), length = sizeof pattern - from;
        if (length > c->large_left)
            length = (size_t)c->large_left;
        n = push(c, pattern + from, length);
        if (n <= 0)
            return (int)n;
        c->large_left -= (uint64_t)n;
    }
    return 1;
}

/* Answers all that is whole in the buffer: as flush(). */
static int answer_all(struct connection *c) {
    size_t used = 0;
    int state = 1;
    while (used < c->have && state == 1 && !c->closing) {
        ssize_t n;
        if (c->websocket) {
            n = answer_frame(c, (unsigned char *)c->in + used, c->have - used);
        } else {
            memmove(c->in, c->in + used, c->have - used);
            c->have -= used;
            used = 0;
            n = answer_request(c);
        }
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
        if (!c->websocket || c->closing || out_length > OUT_SIZE / 2)
            state = flush(c);
    }
    memmove(c->in, c->in + used, c->have - used);
    c->have -= used;
    return out_length ? flush(c) : state;
}

static void serve(struct connection *c, uint32_t events) {
    int state = 1;
    out_length = 0;
    if (events & EPOLLOUT)
        state = flush(c);
    else {
        ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            drop(c);
            return;
        }
        if (n > 0)
            c->have += (size_t)n;
    }
    if (state == 1)
        state = answer_all(c);
    if (state < 0 || (state == 1 && c->closing))
        drop(c);
    else if (state == 0)
        watch(c, EPOLLOUT);
    else if (events & EPOLLOUT)
        watch(c, EPOLLIN);
}

static void welcome(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[256];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prepare_answers();
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &length)) {
        perror("backend");
        return 1;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr)
                serve(ready[i].data.ptr, ready[i].events);
            else
                welcome(listener);
        }
    }
}
