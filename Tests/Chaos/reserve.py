# SPDX-License-Identifier: Apache-2.0
"""Two servers count the same partitions, so that either is a reserve of the other. One of them is paused or killed while the
other flushes and the log drops what the first has not read."""

import functools
import threading
import time

from accounts import report, when_complete
from brokers import NATS, KafkaMock
from deployments import Deployment
from load import Book, Client
from processes import wait_for
from progress import is_beyond, metrics, progress

LOGS = ("nats", "nats-new", "kafka")
STORES = ("postgresql", "clickhouse", "clickhouse-modern")
INTERRUPTIONS = ("pause", "kill")
# How long an interruption lasts at least, in seconds.
SHORTEST = 3


class Reserve(Deployment):
    """One ingest, two aggregate and one query server over a log of two partitions."""

    partitions = 2
    is_trimmed = True

    def __init__(self, log, store, directory):
        self.log_kind, self.store_kind = log, store
        super().__init__(directory)

    def make_log(self):
        if self.log_kind == "kafka":
            self.add_log(KafkaMock(self.directory, "reserve", self.partitions))
        else:
            self.add_log(NATS(self.directory, "reserve", self.partitions, self.log_kind, servers=1))

    def make_store(self):
        self.add_store(self.store_kind)

    def make_servers(self):
        self.ingest = [self.server("ingest", self.log_url)]
        # Kafka shares the partitions out within a group, so each server has a group of its own.
        group = "&group.id=reserve-" if self.log_kind == "kafka" else ""
        self.aggregate = [self.server(f"aggregate-{n}", self.log_url + (group and f"{group}{n}")) for n in (1, 2)]
        addresses = ",".join(f"127.0.0.1:{server.port}" for server in self.aggregate)
        self.query = self.server("query", self.log_url, "--aggregators", addresses)
        for server in (*self.ingest, *self.aggregate, self.query):
            self.add(server.name, server)

    def server(self, name, log_url, *options):
        role = name.split("-")[0]
        return self.tally(name, "--roles", role, "--log", log_url, "--store", self.store_url, *options)

    def interrupt(self, victim, other, interruption):
        """Ends when the victim has counted and stored what was there when it came back."""
        end = time.monotonic() + SHORTEST
        victim.pause() if interruption == "pause" else victim.kill()
        read = progress(other, "position")
        if self.log_kind == "kafka":
            self.drop_what_is_stored(other)
        wait_for("a trim of what the interrupted server has not read",
                 lambda: is_beyond(self.log.first_offsets(), {one: last + 1 for one, last in read.items()}), 60)
        time.sleep(max(0, end - time.monotonic()))
        if interruption == "pause":
            victim.go_on()
        else:
            victim.start()
            victim.become_ready()
        there = progress(other, "position")
        wait_for(f"the return of {victim.name}", lambda: is_beyond(progress(victim, "stored"), there), 60)

    def drop_what_is_stored(self, reader):
        """Makes the mock drop everything, as retention does: no server needs any of it but the one that is interrupted."""
        ingest = self.ingest[0]
        ingest.pause()
        wait_for("a flush of everything", lambda: is_beyond(progress(reader, "stored"), self.log.end_offsets()), 60)
        for partition in range(self.partitions):
            for _ in range(KafkaMock.retained // KafkaMock.padding + 1):
                passed = metrics(reader)["tally_poisoned_messages_total"]
                self.log.add_padding(partition)
                # What is dropped before it was read would hold the reader up.
                wait_for("a reading of the padding",
                         lambda: metrics(reader)["tally_poisoned_messages_total"] > passed, 60)
        ingest.go_on()
        # The checkpoint lies behind the padding from now on.
        wait_for("a flush of what is behind the padding",
                 lambda: is_beyond(progress(reader, "stored"), self.log.first_offsets()), 60)


def run(log, store, interruption, seed, rounds, directory):
    print(f"reserve over {log} and {store}, {rounds} times: {interruption}", flush=True)
    deployment = Reserve(log, store, directory)
    book, no_more = Book(), threading.Event()
    ports = [server.port for server in deployment.ingest]
    banners = range(1, 101)
    clients = [Client(number, seed, ports, book, no_more, [], banners, pause=0) for number in range(3)]
    try:
        for client in clients:
            client.start()
        for number in range(rounds):
            victim, other = deployment.aggregate[number % 2], deployment.aggregate[1 - number % 2]
            deployment.interrupt(victim, other, interruption)
        no_more.set()
        for client in clients:
            client.join(timeout=60)
        counted = when_complete(deployment, book, 20)
        dropped = deployment.dropped()
        stored = deployment.stored(book)
    finally:
        no_more.set()
        endings = deployment.stop()
    return report(deployment, book, {"an answer": counted, "the store": stored}, dropped, endings)


def add_options(parser):
    group = parser.add_argument_group("reserve")
    group.add_argument("--rounds", type=int, default=6, help="how often a server is interrupted")
    group.add_argument("--logs", nargs="+", choices=LOGS, default=LOGS)
    group.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    group.add_argument("--interruptions", nargs="+", choices=INTERRUPTIONS, default=INTERRUPTIONS)


def scenarios(options):
    """- Returns: (name, seed, scenario) of each run."""
    return [
        (f"reserve, {log}, {store}, {interruption}", options.seed,
         functools.partial(run, log, store, interruption, options.seed, options.rounds))
        for log in options.logs for store in options.stores for interruption in options.interruptions
    ]
