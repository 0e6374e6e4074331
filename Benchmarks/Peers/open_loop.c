// SPDX-License-Identifier: Apache-2.0
//
// Offers requests at a constant rate, whatever the server does: each has a time at which it is due, and its latency counts
// from then, also when it had to wait for a free connection. (wrk sends the next request when the last was answered, so a
// server that stalls is asked less.)
//
//     open_loop PORT CONNECTIONS RATE SECONDS BANNERS
//
// Prints a line: sent, microseconds at the 50th, 99th and 99.9th percentile, and the highest.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, ANSWER_BYTES = 4096 };

static struct {
    int socket;
    int64_t due;
    size_t filled;
    char answer[ANSWER_BYTES];
} connections[MOST_CONNECTIONS];

static int idle[MOST_CONNECTIONS], idle_count;

static void fail(const char *what) {
    fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void open_connection(int index, int port, int poll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    connections[index].socket = fd;
    idle[idle_count++] = index;
}

static void send_request(int64_t due, int banners) {
    int index = idle[--idle_count];
    char text[128];
    int length = snprintf(
        text, sizeof text, "GET /counter/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 1 + rand() % banners);
    connections[index].due = due;
    connections[index].filled = 0;
    if (write(connections[index].socket, text, length) != length) fail("write");
}

// The answers have no body: an answer ends with its head.
static int has_answer(int index) {
    size_t room = ANSWER_BYTES - 1 - connections[index].filled;
    ssize_t count = read(connections[index].socket, connections[index].answer + connections[index].filled, room);
    if (count <= 0) fail("read");
    connections[index].filled += count;
    connections[index].answer[connections[index].filled] = 0;
    if (!strstr(connections[index].answer, "\r\n\r\n")) return 0;
    if (strncmp(connections[index].answer, "HTTP/1.1 204", 12)) {
        fprintf(stderr, "open_loop: an answer is no 204: %.200s\n", connections[index].answer);
        exit(1);
    }
    return 1;
}

int main(int count, char **arguments) {
    if (count != 6) return 64;
    int port = atoi(arguments[1]), connection_count = atoi(arguments[2]), banners = atoi(arguments[5]);
    double rate = atof(arguments[3]), seconds = atof(arguments[4]);
    int64_t total = rate * seconds, sent = 0, answered = 0;
    int64_t *latencies = malloc(total * sizeof *latencies);
    if (connection_count > MOST_CONNECTIONS || total < 1 || !latencies) return 64;
    int poll = epoll_create1(0);
    for (int index = 0; index < connection_count; index++) open_connection(index, port, poll);

    int64_t start = now();
    while (answered < total) {
        while (sent < total && idle_count > 0) {
            int64_t due = start + sent * 1e9 / rate;
            if (due > now()) break;
            send_request(due, banners);
            sent++;
        }
        struct epoll_event events[256];
        // It never sleeps: a timer would be later than what is measured. But where cores are few, a server that has to wait
        // for one must not wait for this.
        int ready = epoll_wait(poll, events, 256, 0);
        if (ready == 0) sched_yield();
        for (int each = 0; each < ready; each++) {
            int index = events[each].data.u32;
            if (!has_answer(index)) continue;
            latencies[answered++] = now() - connections[index].due;
            idle[idle_count++] = index;
        }
    }
    qsort(latencies, total, sizeof *latencies, compare);
    printf("%lld %.1f %.1f %.1f %.1f\n", (long long)total, latencies[total / 2] / 1e3, latencies[total * 99 / 100] / 1e3,
           latencies[total * 999 / 1000] / 1e3, latencies[total - 1] / 1e3);
    return 0;
}
