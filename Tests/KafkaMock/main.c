// SPDX-License-Identifier: Apache-2.0
//
// kafka-mock FIFO [BROKERS]: librdkafka's mock of a Kafka cluster as a process of its own, three brokers by default, on
// free ports of 127.0.0.1. It prints their addresses, then obeys the lines that are written to FIFO, which it makes, and
// prints `ok` or `error …` for each:
//
//     topic NAME PARTITIONS REPLICAS     makes a topic
//     down BROKER, up BROKER             brokers are counted from 1
//     leader NAME PARTITION BROKER       moves a partition: nothing does so by itself when its leader is down
//     delay BROKER MILLISECONDS          each answer takes so long
//     lose BROKER API MILLISECONDS       does the next request of this kind (0 is Produce), and answers after so long
//     fail API ERROR…                    the next requests of this kind fail with these errors
//
// It keeps everything in memory, 5 MB a partition, copies nothing, and does not check a producer's sequence numbers: good
// for making duplicates, and no proof that Kafka makes none.

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WORDS 32

static int is(const char *word, const char *name, int words, int needed) {
    return strcmp(word, name) == 0 && words >= needed;
}

static rd_kafka_resp_err_t obey(rd_kafka_mock_cluster_t *cluster, char **word, int words) {
    if (is(word[0], "topic", words, 4))
        return rd_kafka_mock_topic_create(cluster, word[1], atoi(word[2]), atoi(word[3]));
    if (is(word[0], "down", words, 2)) return rd_kafka_mock_broker_set_down(cluster, atoi(word[1]));
    if (is(word[0], "up", words, 2)) return rd_kafka_mock_broker_set_up(cluster, atoi(word[1]));
    if (is(word[0], "leader", words, 4))
        return rd_kafka_mock_partition_set_leader(cluster, word[1], atoi(word[2]), atoi(word[3]));
    if (is(word[0], "delay", words, 3)) return rd_kafka_mock_broker_set_rtt(cluster, atoi(word[1]), atoi(word[2]));
    if (is(word[0], "lose", words, 4))
        return rd_kafka_mock_broker_push_request_error_rtts(cluster, atoi(word[1]), atoi(word[2]), 1, 0, atoi(word[3]));
    if (is(word[0], "fail", words, 3)) {
        rd_kafka_resp_err_t errors[WORDS];
        for (int index = 2; index < words; index++) errors[index - 2] = atoi(word[index]);
        rd_kafka_mock_push_request_errors_array(cluster, atoi(word[1]), words - 2, errors);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return RD_KAFKA_RESP_ERR__INVALID_ARG;
}

static int serve(rd_kafka_mock_cluster_t *cluster, const char *path) {
    if (mkfifo(path, 0600) != 0) return perror(path), 1;
    // For writing too, so that there is no end between one writer and the next.
    int descriptor = open(path, O_RDWR);
    FILE *lines = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (lines == NULL) return perror(path), 1;
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    char line[1024];
    while (fgets(line, sizeof line, lines) != NULL) {
        char *word[WORDS];
        int words = 0;
        for (char *next = strtok(line, " \n"); next != NULL && words < WORDS; next = strtok(NULL, " \n"))
            word[words++] = next;
        if (words == 0) continue;
        rd_kafka_resp_err_t error = obey(cluster, word, words);
        printf(error == 0 ? "ok\n" : "error %s\n", rd_kafka_err2str(error));
        fflush(stdout);
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count < 2) return fprintf(stderr, "usage: kafka-mock FIFO [BROKERS]\n"), 64;
    char error[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error);
    if (client == NULL) return fprintf(stderr, "%s\n", error), 1;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, count > 2 ? atoi(arguments[2]) : 3);
    if (cluster == NULL) return fprintf(stderr, "no mock cluster\n"), 1;
    return serve(cluster, arguments[1]);
}
