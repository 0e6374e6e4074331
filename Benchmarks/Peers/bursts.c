// SPDX-License-Identifier: Apache-2.0
//
// A load that is the same in every minute, however fast the machine is just then: in each period one request on each
// connection, all at once, and sleep until the next. So the same work is done in batches of the same size, and what it costs
// the server can be compared over hours.
//
//     bursts PORT CONNECTIONS PERIODS-PER-SECOND SECONDS BANNERS
//
// Prints how many requests were answered.

#include "measuring.h"

enum { MOST_CONNECTIONS = 1024, ANSWER_BYTES = 4096 };

static void await_answer(int fd) {
    char answer[ANSWER_BYTES];
    size_t filled = 0;
    while (!has_answer(fd, answer, sizeof answer, &filled)) {}
}

int main(int count, char **arguments) {
    if (count != 6) return 64;
    int connections = atoi(arguments[2]), rate = atoi(arguments[3]), banners = atoi(arguments[5]);
    long periods = atol(arguments[4]) * rate;
    if (connections < 1 || connections > MOST_CONNECTIONS || rate < 1 || periods < 1 || banners < 1) return 64;
    int sockets[MOST_CONNECTIONS];
    for (int index = 0; index < connections; index++) sockets[index] = connected(atoi(arguments[1]));

    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long period = 0; period < periods; period++) {
        for (int index = 0; index < connections; index++) click(sockets[index], 1 + rand() % banners);
        for (int index = 0; index < connections; index++) await_answer(sockets[index]);
        due.tv_nsec += 1000000000L / rate;
        if (due.tv_nsec >= 1000000000L) {
            due.tv_nsec -= 1000000000L;
            due.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    printf("%ld\n", periods * connections);
    return 0;
}
