/*
 * The soak's crowd: keeps the gateway busy, and takes no answer for another's.
 *
 *   crowd PORT HOST CONNECTIONS SECONDS SEED
 *
 * Each connection asks for /echo with a token of its own in every request, one to four requests in one write; the head
 * that comes back must hold this token and the request id of the answer's own head. After some requests a connection
 * is closed or reset, and a new one opened from another address. Prints one line of JSON: answers, errors, and the sum
 * of the request ids' last 64 bits.
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

#define IN_SIZE (64 * 1024)
#define MAX_CONNECTIONS 1024
#define BATCH 4
#define LONGEST 2000 /* requests of one connection */
#define PATIENCE 30.0 /* seconds that nothing may come */

struct connection {
    int fd; /* -1: none */
    uint64_t first;
    unsigned due, left;
    size_t have;
    char in[IN_SIZE + 1];
};

static struct connection connections[MAX_CONNECTIONS];
static const char *host;
static struct sockaddr_in peer;
static int poller;
static double until;
static uint64_t answers, ids, errors, token, address;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void complain(const char *what, const struct connection *c) {
    if (errors++ < 5)
        fprintf(stderr, "%s: token %llu, %zu octets: %.300s\n", what, (unsigned long long)c->first, c->have, c->in);
}

static void quit(struct connection *c, int reset) {
    struct linger linger = {1, 0};
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(c->fd);
    c->fd = -1;
}

static void ask(struct connection *c) {
    char out[BATCH * 512];
    size_t length = 0;
    c->due = 1 + (unsigned)(random() % 8 < 5 ? 0 : random() % BATCH);
    c->first = token;
    for (unsigned i = 0; i < c->due; i++)
        length += (size_t)sprintf(out + length,
                                  "GET /echo HTTP/1.1\r\nHost: %s\r\nUser-Agent: soak-crowd\r\nAccept: */*\r\n"
                                  "Accept-Encoding: gzip, deflate, br\r\nX-Token: %llu\r\n\r\n",
                                  host, (unsigned long long)token++);
    if (send(c->fd, out, length, MSG_NOSIGNAL) != (ssize_t)length)
        complain("not sent", c);
}

static void start(struct connection *c) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int yes = 1;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(address++ % 200));
    c->have = 0;
    c->left = 1 + (unsigned)(random() % LONGEST);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (bind(c->fd, (struct sockaddr *)&own, sizeof own) || connect(c->fd, (struct sockaddr *)&peer, sizeof peer)) {
        complain(strerror(errno), c);
        quit(c, 0);
        return;
    }
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
    ask(c);
}

/* The last 64 bits of the id behind the field's name, -1 in `length` if there is none. */
static uint64_t request_id(const char *text, size_t *length) {
    const char *at = strcasestr(text, "\r\nx-request-id: ");
    char digits[17] = "";
    if (!at || (*length = strspn(at += 16, "0123456789abcdefABCDEF")) < 16) {
        *length = 0;
        return 0;
    }
    memcpy(digits, at + *length - 16, 16);
    return strtoull(digits, NULL, 16);
}

/* Takes the first answer: its octets, 0 if it is not whole yet, -1 if it is not right. */
static ssize_t take(struct connection *c) {
    char expected[64], kept, *end, *body, *field;
    size_t head, length, digits, echoed;
    uint64_t id;
    c->in[c->have] = 0;
    if (!(end = strstr(c->in, "\r\n\r\n")))
        return 0;
    head = (size_t)(end - c->in) + 4;
    body = c->in + head;
    kept = *body;
    *body = 0;
    field = strcasestr(c->in, "\r\ncontent-length: ");
    id = request_id(c->in, &digits);
    *body = kept;
    if (strncmp(c->in, "HTTP/1.1 200 ", 13) || !field || !digits)
        return -1;
    length = strtoul(field + 18, NULL, 10);
    if (head + length > IN_SIZE)
        return -1;
    if (c->have < head + length)
        return 0;
    kept = body[length];
    body[length] = 0;
    sprintf(expected, "\r\nX-Token: %llu\r\n", (unsigned long long)c->first);
    if (!strstr(body, expected) || request_id(body, &echoed) != id || !echoed)
        return -1;
    body[length] = kept;
    answers++;
    ids += id;
    return (ssize_t)(head + length);
}

static void on_readable(struct connection *c) {
    ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, 0), used = 0;
    if (n <= 0) {
        complain(n ? strerror(errno) : "closed", c);
        quit(c, 0);
        return;
    }
    c->have += (size_t)n;
    while (c->due && (used = take(c)) > 0) {
        memmove(c->in, c->in + used, c->have - (size_t)used);
        c->have -= (size_t)used;
        c->due--;
        c->first++;
    }
    if (used < 0 || (!c->due && c->have)) {
        complain("wrong answer", c);
        quit(c, 0);
    } else if (!c->due) {
        if (now() >= until || --c->left == 0)
            quit(c, random() & 1);
        else
            ask(c);
    }
}

int main(int argc, char **argv) {
    struct epoll_event ready[256];
    unsigned count, busy = 1;
    double last;
    if (argc != 6)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    host = argv[2];
    count = (unsigned)atoi(argv[3]);
    if (count > MAX_CONNECTIONS)
        return 2;
    last = now();
    until = last + atof(argv[4]);
    srandom((unsigned)atoi(argv[5]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < count; i++)
        connections[i].fd = -1;
    while (busy) {
        int n;
        busy = 0;
        for (unsigned i = 0; i < count; i++) {
            if (connections[i].fd < 0 && now() < until && errors < 1000)
                start(&connections[i]);
            busy += connections[i].fd >= 0;
        }
        n = epoll_wait(poller, ready, 256, 1000);
        for (int i = 0; i < n; i++)
            on_readable(ready[i].data.ptr);
        if (n > 0)
            last = now();
        else if (now() - last > PATIENCE) {
            for (unsigned i = 0; i < count; i++)
                if (connections[i].fd >= 0) {
                    complain("nothing came", &connections[i]);
                    quit(&connections[i], 1);
                }
        }
    }
    printf("{\"completed\": %llu, \"errors\": %llu, \"ids\": %llu}\n", (unsigned long long)answers,
           (unsigned long long)errors, (unsigned long long)ids);
    return 0;
}
