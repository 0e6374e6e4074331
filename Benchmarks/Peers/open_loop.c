// SPDX-License-Identifier: Apache-2.0
//
// Offers requests at a constant rate, whatever the server does: each has a time at which it is due, and its latency counts
// from then, also when it had to wait for a free connection. (wrk sends the next request when the last was answered, so a
// server that stalls is asked less.)
//
//     open_loop PORT CONNECTIONS RATE SECONDS BANNERS
//
// Prints a line: sent, microseconds at the 50th, 99th and 99.9th percentile, and the highest.

#include "measuring.h"

#include <sched.h>
#include <sys/epoll.h>

enum { MOST_CONNECTIONS = 4096, ANSWER_BYTES = 4096 };

static struct {
    int socket;
    int64_t due;
    size_t filled;
    char answer[ANSWER_BYTES];
} connections[MOST_CONNECTIONS];

static int idle[MOST_CONNECTIONS], idle_count;

static void open_connection(int index, int port, int poll) {
    int fd = connected(port);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    connections[index].socket = fd;
    idle[idle_count++] = index;
}

static void send_request(int64_t due, int banners) {
    int index = idle[--idle_count];
    connections[index].due = due;
    connections[index].filled = 0;
    click(connections[index].socket, 1 + rand() % banners);
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
            if (!has_answer(connections[index].socket, connections[index].answer, ANSWER_BYTES, &connections[index].filled))
                continue;
            latencies[answered++] = now() - connections[index].due;
            idle[idle_count++] = index;
        }
    }
    print_latencies(latencies, total);
    return 0;
}
