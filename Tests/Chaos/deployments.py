# SPDX-License-Identifier: Apache-2.0
"""Two ingest, three aggregate and one query server over a log and a store, all of them real but for the brokers of Kafka."""

import os
import pathlib
import subprocess
import time

import faults
from processes import ROOT, Program, Relay, Tally, accepts, answers, free_port, wait_for

SERVICES = ROOT / "Scripts/services"


def service(name, directory, environment=None):
    """One of Scripts/services as a program that can be killed: it is started again over the same files, on the same port."""
    script = str(SERVICES / name)
    subprocess.run([script, "install"], check=True, stdout=subprocess.DEVNULL)
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

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.programs = []
        self.faults = []
        self.make_log()
        self.make_store()
        self.make_servers()

    def add(self, group, program):
        self.programs.append(program)
        self.faults += faults.of_program(group, program)
        program.start()
        program.become_ready()

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

    def check(self):
        """Nobody ends by itself, whatever happens to the others."""

    def stop(self):
        """- Returns: how each server of Tally ended."""
        endings = {}
        for program in reversed(self.programs):
            endings[program.name] = program.stop()
        return {name: status for name, status in endings.items() if isinstance(status, int) or status == "killed"}


class JetStream(Deployment):
    """Three nats-servers that sync before they acknowledge, and PostgreSQL. Each partition is counted by two servers at once."""

    name = "JetStream and PostgreSQL"

    def make_log(self):
        script = str(SERVICES / "nats-new")
        subprocess.run([script, "install"], check=True, stdout=subprocess.DEVNULL)
        server = subprocess.run([script, "program"], check=True, capture_output=True, text=True).stdout.split()[0]
        clients, routes = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
        names = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        for number in range(3):
            place = self.directory / f"nats-{number}"
            place.mkdir(parents=True)
            (place / "nats.conf").write_text(
                f"host: 127.0.0.1\nport: {clients[number]}\nserver_name: chaos-{number}\nmax_payload: 8MB\n"
                f"jetstream {{ store_dir: \"{place}/data\", sync_interval: always }}\n"
                f"cluster {{ name: chaos, host: 127.0.0.1, port: {routes[number]}, routes: [ {names} ] }}\n")
            program = Program(f"nats-{number}", [server, "-c", str(place / "nats.conf")], place,
                              lambda port=clients[number]: accepts(port))
            self.programs.append(program)
            self.faults += faults.of_program("nats", program)
            program.start()
        for program in self.programs:
            program.become_ready()
        addresses = ",".join(f"127.0.0.1:{port}" for port in clients)
        self.log_url = f"nats://{addresses}/chaos?partitions={self.partitions}&replicas=3&timeout=3"

    def make_store(self):
        self.add_store("postgresql")

    def share_of(self, number):
        first = 2 * number
        share = [first, first + 1, (first + 2) % self.partitions, (first + 3) % self.partitions]
        return ["--partitions", ",".join(str(one) for one in sorted(share))]


class Kafka(Deployment):
    """librdkafka's mock of three brokers, and ClickHouse. The mock has everything in memory, so it is never killed, but its
    brokers are, one by one; nothing moves their partitions but we."""

    name = "Kafka's mock and ClickHouse"
    topic = "chaos"

    def make_log(self):
        place = self.directory / "kafka"
        place.mkdir(parents=True)
        script = str(SERVICES / "kafka-mock")
        subprocess.run([script, "install"], check=True, stdout=subprocess.DEVNULL)
        self.mock = Program("kafka", [script, "run", str(place), "0"], place,
                            lambda: (place / "addresses").exists() and (place / "addresses").stat().st_size > 0)
        self.programs.append(self.mock)
        self.mock.start()
        self.mock.become_ready()
        addresses = (place / "addresses").read_text().split()[0]
        self.tell(f"topic {self.topic} {self.partitions} 3")
        for partition in range(self.partitions):
            self.tell(f"leader {self.topic} {partition} {partition % 3 + 1}")
        self.log_url = f"kafka://{addresses}/{self.topic}?message.timeout.ms=3000&request.timeout.ms=1000"
        self.faults.append(faults.Fault("pause kafka", self.mock, self.mock.pause, self.mock.go_on, lambda: True))
        for broker in (1, 2, 3):
            one = Broker(self, broker)
            self.faults += [
                faults.Fault("broker down", one, one.down, one.up, lambda: not self.mock.is_paused),
                faults.Fault("broker slow", one, one.slow, one.quick, lambda: not self.mock.is_paused),
                faults.Fault("answer lost", one, one.lose, lambda: None, lambda: not self.mock.is_paused),
            ]

    def tell(self, line):
        with open(self.directory / "kafka/commands", "w") as commands:
            commands.write(line + "\n")

    def make_store(self):
        self.add_store("clickhouse")


class Broker:
    def __init__(self, kafka, number):
        self.kafka = kafka
        self.number = number
        self.name = f"broker {number}"

    def down(self):
        self.kafka.tell(f"down {self.number}")
        for partition in range(self.kafka.partitions):
            if partition % 3 + 1 == self.number:
                self.kafka.tell(f"leader {self.kafka.topic} {partition} {self.number % 3 + 1}")

    def up(self):
        self.kafka.tell(f"up {self.number}")
        for partition in range(self.kafka.partitions):
            if partition % 3 + 1 == self.number:
                self.kafka.tell(f"leader {self.kafka.topic} {partition} {self.number}")

    def slow(self):
        self.kafka.tell(f"delay {self.number} 400")

    def quick(self):
        self.kafka.tell(f"delay {self.number} 0")

    def lose(self):
        # Produce: the broker has the messages, and its answer comes too late.
        self.kafka.tell(f"lose {self.number} 0 2000")
