# SPDX-License-Identifier: Apache-2.0
"""Two ingest, three aggregate and one query server over a log and a store, all of them real but for the brokers of Kafka."""

import contextlib
import pathlib
import subprocess

import faults
from accounts import counted_minutes
from brokers import NATS, KafkaMock, install
from processes import Program, Relay, Tally, free_port, wait_for
from progress import progress


def service(name, directory, environment=None):
    """One of Scripts/services as a program that can be killed: it is started again over the same files, on the same port."""
    script = install(name)
    port = free_port()
    ready = lambda: subprocess.run([script, "ready", str(directory), str(port)], capture_output=True).returncode == 0
    program = Program(name, [script, "run", str(directory), str(port)], directory, ready)
    program.port = port
    program.url = subprocess.run(
        [script, "url", str(port), str(directory)], check=True, capture_output=True, text=True).stdout.strip()
    return program


class Deployment:
    """- `programs`: in the order of their start. `faults`: what may happen to them."""

    partitions = 6
    # Says what it has dropped; nil when it drops nothing.
    log = None
    # Partitions whose banners get no events with an id.
    without_ids = frozenset()
    # Servers drop from the log what is stored.
    is_trimmed = False
    # Kind of fault → how often it begins, relative to the others.
    weights = {}

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.programs = []
        self.faults = []
        self.endings = {}
        try:
            self.make_log()
            self.make_store()
            self.make_servers()
        except BaseException:
            self.stop()
            raise

    def add(self, group, program):
        self.programs.append(program)
        self.faults += faults.of_program(group, program)
        program.start()
        program.become_ready()

    def add_log(self, log):
        self.log = log
        self.programs += log.programs
        # No server of a cluster is ready without the others.
        for program in log.programs:
            program.start()
        for program in log.programs:
            program.become_ready()
        log.prepare()
        self.faults += log.faults
        self.log_url = log.url

    def add_store(self, name):
        store = service(name, self.directory / "store")
        self.add("store", store)
        relay = Relay("the way to the store", store.port)
        self.faults += faults.of_relay("store off", relay)
        self.store_url = store.url.replace(str(store.port), str(relay.port))

    def make_servers(self):
        shared = ["--log", self.log_url, "--store", self.store_url]
        self.ingest = [self.tally(f"ingest-{n}", "--roles", "ingest", *shared) for n in (1, 2)]
        self.aggregate = [self.tally(f"aggregate-{n}", "--roles", "aggregate", *shared, *self.share_of(n))
                          for n in range(3)]
        relays = [Relay(f"the way to {one.name}", one.port) for one in self.aggregate]
        for relay in relays:
            self.faults += faults.of_relay("aggregate off", relay)
        addresses = ",".join(f"127.0.0.1:{relay.port}" for relay in relays)
        self.query = self.tally("query", "--roles", "query", *shared, "--aggregators", addresses)
        for group, servers in (("ingest", self.ingest), ("aggregate", self.aggregate), ("query", [self.query])):
            for server in servers:
                self.add(group, server)

    def tally(self, name, *options):
        return Tally(name, self.directory / name, free_port(), *options)

    def share_of(self, number):
        return []

    def recover(self):
        """Everything runs again. What was killed has been started when its fault was taken back."""
        for program in self.programs:
            program.go_on()
            if not program.runs:
                program.start()
        for program in self.programs:
            program.become_ready()

    def dropped(self):
        """- Returns: how many messages the log has dropped."""
        return sum(first - 1 for first in self.log.first_offsets().values()) if self.log else 0

    def stored(self, book):
        """Waits until everything that was counted is flushed, and stops the servers that count.
        - Returns: what the store has, as `counted_minutes` does."""
        def is_flushed():
            counted, stored = ([progress(server, what) for server in self.aggregate] for what in ("position", "stored"))
            return counted == stored and all(any(one.get(partition) for one in stored) for partition in range(self.partitions))
        # A server that does not come so far has lost something, which the counts show.
        with contextlib.suppress(AssertionError, OSError):
            wait_for("a flush of everything", is_flushed, 30)
        for server in self.aggregate:
            self.endings[server.name] = server.stop()
        return counted_minutes(self.query.url, book) or ({}, {})

    def stop(self):
        """- Returns: how each program ended that was not stopped before."""
        for program in reversed(self.programs):
            self.endings.setdefault(program.name, program.stop())
        return {name: status for name, status in self.endings.items() if status is not None}


class JetStream(Deployment):
    """Three nats-servers that sync before they acknowledge, and PostgreSQL. Each partition is counted by two servers at once.
    Half of the partitions get no event ids: an id keeps its chunk in the log for `--dedup-window`, so that only they are
    trimmed within minutes."""

    name = "JetStream and PostgreSQL"
    without_ids = frozenset((0, 2, 4))
    is_trimmed = True
    # A server that stands still while another trims is what these partitions are for.
    weights = {"pause aggregate": 4}

    def make_log(self):
        self.add_log(NATS(self.directory, "chaos", self.partitions))

    def make_store(self):
        self.add_store("postgresql")

    def share_of(self, number):
        first = 2 * number
        share = [first, first + 1, (first + 2) % self.partitions, (first + 3) % self.partitions]
        return ["--partitions", ",".join(str(one) for one in sorted(share))]


class Kafka(Deployment):
    """librdkafka's mock of three brokers, and ClickHouse. Tally trims nothing of a topic, and the mock drops nothing before
    a partition has 5 MB; `reserve.py` makes it drop what a paused server has not read."""

    name = "Kafka's mock and ClickHouse"

    def make_log(self):
        self.add_log(KafkaMock(self.directory, "chaos", self.partitions))

    def make_store(self):
        self.add_store("clickhouse")
