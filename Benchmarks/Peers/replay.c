// SPDX-License-Identifier: Apache-2.0
//
// Counts what a journal holds, one entry after the other, from the bytes of its segments on the standard input, in order:
// what reading the journal costs when nothing is checked (no checksum, no limit, no second chunk of a number) and nothing
// else is kept. docs/journal-format.md and docs/chunk-format.md describe the bytes.
//
//     cat journal/*.segment | replay
//
// Prints a line: entries, their sum, the rows that they make, and the seconds of the loop.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEGMENT_HEADER = 128, RECORD_HEADER = 24, ID = 16, BUFFER = 16 << 20 };

struct row {
    uint64_t banner, count;
    uint32_t minute, kind;
};

static struct row *rows;
static uint64_t capacity = 1 << 16, row_count, entries, sum;

static uint64_t hash(uint64_t banner, uint32_t minute, uint32_t kind) {
    uint64_t value = banner * 0x9E3779B97F4A7C15 ^ ((uint64_t)minute << 8 | kind);
    value = (value ^ value >> 29) * 0xBF58476D1CE4E5B9;
    return value ^ value >> 32;
}

static struct row *find(uint64_t banner, uint32_t minute, uint32_t kind) {
    uint64_t slot = hash(banner, minute, kind) & (capacity - 1);
    while (rows[slot].count && (rows[slot].banner != banner || rows[slot].minute != minute || rows[slot].kind != kind))
        slot = (slot + 1) & (capacity - 1);
    return &rows[slot];
}

static void grow(void) {
    struct row *old = rows;
    uint64_t old_capacity = capacity;
    capacity *= 2;
    rows = calloc(capacity, sizeof *rows);
    for (uint64_t slot = 0; slot < old_capacity; slot++)
        if (old[slot].count) *find(old[slot].banner, old[slot].minute, old[slot].kind) = old[slot];
    free(old);
}

static void count(uint64_t banner, uint32_t minute, uint32_t kind, uint64_t number) {
    struct row *row = find(banner, minute, kind);
    if (!row->count) {
        *row = (struct row){banner, 0, minute, kind};
        row_count++;
    }
    row->count += number;
    entries++;
    sum += number;
    if (row_count * 2 > capacity) grow();
}

static uint64_t variable(const uint8_t **bytes) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *(*bytes)++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
}

static int64_t signed_variable(const uint8_t **bytes) {
    uint64_t value = variable(bytes);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void count_chunk(const uint8_t *bytes) {
    bytes += 1 + ID;
    variable(&bytes);
    variable(&bytes);
    for (uint64_t kinds = variable(&bytes); kinds > 0; kinds--) bytes += 1 + *bytes;
    uint64_t banner = 0, kind = 0;
    int64_t minute = 0;
    for (uint64_t deltas = variable(&bytes); deltas > 0; deltas--) {
        uint64_t kind_step = variable(&bytes);
        int64_t minute_step = signed_variable(&bytes);
        uint64_t written = variable(&bytes);
        banner = kind_step || minute_step ? written : banner + written;
        kind += kind_step;
        minute += minute_step;
        count(banner, minute, kind, variable(&bytes));
    }
    minute = 0;
    for (uint64_t identified = variable(&bytes); identified > 0; identified--) {
        bytes += ID;
        kind = *bytes++;
        minute += signed_variable(&bytes);
        banner = variable(&bytes);
        count(banner, minute, kind, variable(&bytes));
    }
}

static uint8_t buffer[BUFFER];
static size_t begin, end;

// Makes so many bytes stand at `begin`; 0 at the end.
static int have(size_t wanted) {
    if (end - begin >= wanted) return 1;
    memmove(buffer, buffer + begin, end - begin);
    end -= begin;
    begin = 0;
    while (end < wanted) {
        ssize_t got = read(0, buffer + end, BUFFER - end);
        if (got <= 0) return 0;
        end += got;
    }
    return 1;
}

static void skip(uint64_t bytes) {
    while (bytes > 0 && (end > begin || have(1))) {
        uint64_t step = bytes < end - begin ? bytes : end - begin;
        begin += step;
        bytes -= step;
    }
}

int main(void) {
    struct timespec start, stop;
    clock_gettime(CLOCK_MONOTONIC, &start);
    rows = calloc(capacity, sizeof *rows);
    while (have(SEGMENT_HEADER)) {
        uint64_t rest;
        memcpy(&rest, buffer + begin + 32, 8);
        begin += SEGMENT_HEADER;
        rest -= SEGMENT_HEADER;
        while (rest >= RECORD_HEADER && have(RECORD_HEADER)) {
            uint32_t length;
            memcpy(&length, buffer + begin, 4);
            if (!length) break;
            uint64_t whole = (RECORD_HEADER + (uint64_t)length + 7) / 8 * 8;
            if (!have(whole)) return 1;
            count_chunk(buffer + begin + RECORD_HEADER);
            begin += whole;
            rest -= whole;
        }
        skip(rest);
    }
    clock_gettime(CLOCK_MONOTONIC, &stop);
    printf("%llu %llu %llu %.6f\n", (unsigned long long)entries, (unsigned long long)sum, (unsigned long long)row_count,
           stop.tv_sec - start.tv_sec + (stop.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
