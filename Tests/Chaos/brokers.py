# SPDX-License-Identifier: Apache-2.0
"""The servers that keep the log, and what they have dropped of it."""

import http.client
import json
import pathlib
import subprocess
import urllib.request

import faults
from processes import ROOT, Program, accepts, free_port

SERVICES = ROOT / "Scripts/services"


def install(service):
    """Installs what a service of Scripts/services needs.
    - Returns: the path of its script."""
    script = str(SERVICES / service)
    subprocess.run([script, "install"], check=True, stdout=subprocess.DEVNULL)
    return script


class NATS:
    """nats-servers with JetStream: `nats-new` syncs before it acknowledges, and Debian's `nats` has no such setting."""

    def __init__(self, directory, stream, partitions, service="nats-new", servers=3):
        script = install(service)
        self.program = subprocess.run([script, "program"], check=True, capture_output=True, text=True).stdout.strip()
        self.sync = ", sync_interval: always" if service == "nats-new" else ""
        self.directory, self.stream, self.partitions = pathlib.Path(directory), stream, partitions
        self.clients, self.routes, self.monitors = ([free_port() for _ in range(servers)] for _ in range(3))
        self.programs = [self.server(number) for number in range(servers)]
        self.faults = [fault for program in self.programs for fault in faults.of_program("nats", program)]

    def server(self, number):
        files = self.directory / f"nats-{number}"
        files.mkdir(parents=True)
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in self.routes)
        cluster = (f"cluster {{ name: chaos, host: 127.0.0.1, port: {self.routes[number]}, routes: [ {routes} ] }}\n"
                   if len(self.routes) > 1 else "")
        port = self.clients[number]
        (files / "nats.conf").write_text(
            f"host: 127.0.0.1\nport: {port}\nhttp: 127.0.0.1:{self.monitors[number]}\n"
            f"server_name: chaos-{number}\nmax_payload: 8MB\n"
            f"jetstream {{ store_dir: \"{files}/data\"{self.sync} }}\n{cluster}")
        return Program(f"nats-{number}", [self.program, "-c", str(files / "nats.conf")], files, lambda: accepts(port))

    def prepare(self):
        """Tally makes the streams."""

    @property
    def url(self):
        addresses = ",".join(f"127.0.0.1:{port}" for port in self.clients)
        return f"nats://{addresses}/{self.stream}?partitions={self.partitions}&replicas={len(self.clients)}&timeout=3"

    def first_offsets(self):
        """- Returns: partition → the first offset that is left of it. A replica may lag, so the furthest counts."""
        found = {}
        for port in self.monitors:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/jsz?streams=true", timeout=5) as answer:
                    accounts = json.loads(answer.read()).get("account_details", [])
            except (OSError, ValueError, http.client.HTTPException):
                continue
            for stream in (stream for account in accounts for stream in account.get("stream_detail", [])):
                partition = int(stream["name"].rsplit("-", 1)[1])
                found[partition] = max(found.get(partition, 0), stream["state"]["first_seq"])
        return found


class KafkaMock:
    """librdkafka's mock of a cluster of three brokers. It has everything in memory, so it is never killed, but its brokers are,
    one by one. It moves no partition by itself."""

    # It keeps this many bytes of a partition and drops the oldest.
    retained = 5 << 20
    padding = 900_000

    def __init__(self, directory, topic, partitions):
        self.directory = pathlib.Path(directory) / "kafka"
        self.topic, self.partitions = topic, partitions
        script = install("kafka-mock")
        install("kcat")
        addresses = self.directory / "addresses"
        self.mock = Program("kafka", [script, "run", str(self.directory), "0"], self.directory,
                            lambda: addresses.exists() and addresses.stat().st_size > 0)
        self.programs = [self.mock]
        self.faults = [faults.Fault("pause kafka", self.mock, self.mock.pause, self.mock.go_on, lambda: True)]
        for broker in (Broker(self, number) for number in (1, 2, 3)):
            self.faults += [
                faults.Fault("broker down", broker, broker.down, broker.up, lambda: not self.mock.is_paused),
                faults.Fault("broker slow", broker, broker.slow, broker.quick, lambda: not self.mock.is_paused),
                faults.Fault("answer lost", broker, broker.lose, lambda: None, lambda: not self.mock.is_paused),
            ]

    def prepare(self):
        """Makes the topic.
        - Precondition: the mock runs."""
        self.tell(f"topic {self.topic} {self.partitions} 3")
        for partition in range(self.partitions):
            self.tell(f"leader {self.topic} {partition} {partition % 3 + 1}")

    def tell(self, line):
        with open(self.directory / "commands", "w") as commands:
            commands.write(line + "\n")

    @property
    def addresses(self):
        return (self.directory / "addresses").read_text().split()[0]

    @property
    def url(self):
        return f"kafka://{self.addresses}/{self.topic}?message.timeout.ms=3000&request.timeout.ms=1000"

    def kcat(self, *arguments, text=None):
        return subprocess.run(["kcat", "-b", self.addresses, *arguments], check=True, input=text, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()

    def first_offsets(self):
        """- Returns: partition → the first offset that is left of it."""
        return self.offsets(-2)

    def end_offsets(self):
        """- Returns: partition → the last offset of it."""
        return {partition: offset - 1 for partition, offset in self.offsets(-1).items()}

    def offsets(self, which):
        asked = [word for one in range(self.partitions) for word in ("-t", f"{self.topic}:{one}:{which}")]
        lines = (line.split() for line in self.kcat("-Q", *asked).splitlines())
        # `TOPIC [PARTITION] offset OFFSET`: Kafka counts from 0, and Tally from 1.
        return {int(line[1].strip("[]")): int(line[3]) + 1 for line in lines}

    def add_padding(self, partition):
        """Adds a message that is no chunk. `retained` bytes of them push out all that stood before."""
        self.kcat("-P", "-t", self.topic, "-p", str(partition), text=b"x" * KafkaMock.padding)


class Broker:
    def __init__(self, kafka, number):
        self.kafka = kafka
        self.number = number
        self.name = f"broker {number}"

    def down(self):
        self.kafka.tell(f"down {self.number}")
        self.lead(self.number % 3 + 1)

    def up(self):
        self.kafka.tell(f"up {self.number}")
        self.lead(self.number)

    def lead(self, successor):
        for partition in range(self.kafka.partitions):
            if partition % 3 + 1 == self.number:
                self.kafka.tell(f"leader {self.kafka.topic} {partition} {successor}")

    def slow(self):
        self.kafka.tell(f"delay {self.number} 400")

    def quick(self):
        self.kafka.tell(f"delay {self.number} 0")

    def lose(self):
        # Produce: the broker has the messages, and its answer comes too late.
        self.kafka.tell(f"lose {self.number} 0 2000")
