# SPDX-License-Identifier: Apache-2.0
"""Measures what goes through Kafka and JetStream: events a second, how soon they are in an answer, and what chunks save.

One ingest, one aggregate and one query server over the log and the store of the chaos runs, all on this machine. Kafka is
librdkafka's mock, which keeps everything in memory: its figures are those of Tally and of the protocol, not of a real cluster.
"""

import argparse
import http.client
import json
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import shutil
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests/Chaos"))

import deployments  # noqa: E402
import processes  # noqa: E402

BANNERS = 100
EVENTS_A_REQUEST = 1_000
CONNECTIONS = 4
# A banner that nobody else counts.
PROBED = 1_000_000


def single(kind):
    """- Returns: the deployment with one server of each role, and nothing between them that could be cut."""
    class Single(kind):
        def make_servers(self):
            shared = ["--log", self.log_url, "--store", self.store_url]
            self.ingest = [self.tally("ingest", "--roles", "ingest", *shared)]
            self.aggregate = [self.tally("aggregate", "--roles", "aggregate", *shared, *self.share_of(0))]
            self.query = self.tally("query", "--roles", "query", *shared,
                                    "--aggregators", f"127.0.0.1:{self.aggregate[0].port}")
            for server in (*self.ingest, *self.aggregate, self.query):
                self.add("tally", server)

        def share_of(self, number):
            everything = ",".join(str(one) for one in range(self.partitions))
            return ["--partitions", everything] if kind is deployments.JetStream else []

    return Single


class Connection:
    """Keeps its connection, and lives through none that is lost: that would be a result of its own."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 202, 204):
            raise SystemExit(f"{path} was answered with {answer.status}: {content[:300]}")
        return content


def batch(generator):
    lines = (f'{{"banner":{generator.randint(1, BANNERS)}}}' for _ in range(EVENTS_A_REQUEST))
    return "\n".join(lines).encode()


class Load(threading.Thread):
    """Sends batches, each when it is due; without a rate, each when the one before was answered."""

    def __init__(self, server, number, events_a_second, seconds):
        super().__init__()
        generator = random.Random(number)
        self.bodies = [batch(generator) for _ in range(20)]
        self.connection = Connection(server)
        self.pause = events_a_second and EVENTS_A_REQUEST / events_a_second
        self.seconds = seconds
        self.acknowledged = 0

    def run(self):
        start = due = time.monotonic()
        while time.monotonic() < start + self.seconds:
            self.connection.ask("POST", "/v1/events", self.bodies[self.acknowledged // EVENTS_A_REQUEST % 20])
            self.acknowledged += EVENTS_A_REQUEST
            if self.pause:
                due += self.pause
                time.sleep(max(0, due - time.monotonic()))


class Probe(threading.Thread):
    """Counts one event, and asks until the answer has it; then the next."""

    def __init__(self, deployment, seconds):
        super().__init__()
        self.sending, self.asking = Connection(deployment.ingest[0]), Connection(deployment.query)
        self.seconds = seconds
        self.ages = []
        self.answers = []
        self.sent = self.counted()

    def counted(self):
        start = time.monotonic()
        series = json.loads(self.asking.ask("GET", f"/v1/series?banner={PROBED}&kind=click&step=1d"))["series"]
        self.answers.append(time.monotonic() - start)
        return sum(point["v"] for one in series for point in one["points"])

    def run(self):
        start = time.monotonic()
        while time.monotonic() < start + self.seconds:
            self.sending.ask("POST", "/v1/events", f'{{"banner":{PROBED}}}'.encode())
            acknowledged = time.monotonic()
            self.sent += 1
            while self.counted() < self.sent:
                pass
            self.ages.append(time.monotonic() - acknowledged)
            time.sleep(0.02)


def run_load(deployment, events_a_second, seconds, *others):
    share = events_a_second / CONNECTIONS if events_a_second else None
    loads = [Load(deployment.ingest[0], number, share, seconds) for number in range(CONNECTIONS)]
    start = time.monotonic()
    for thread in (*loads, *others):
        thread.start()
    for thread in (*loads, *others):
        thread.join()
    return sum(load.acknowledged for load in loads) / (max(time.monotonic() - start, seconds))


def freshness(deployment, events_a_second, seconds):
    probe = Probe(deployment, seconds)
    rate = run_load(deployment, events_a_second, seconds, probe)
    ages = sorted(1000 * age for age in probe.ages)
    print(f"  {events_a_second:,} events/s offered, {rate:,.0f} acknowledged: in an answer after "
          f"p50 {statistics.median(ages):.0f} ms, p99 {ages[int(0.99 * len(ages))]:.0f} ms, at most {ages[-1]:.0f} ms "
          f"({len(ages)} probes); an answer took {1000 * statistics.median(probe.answers):.0f} ms", flush=True)


def throughput(deployment, seconds):
    before = total(deployment)
    start = time.monotonic()
    rate = run_load(deployment, None, seconds)
    wanted = before + round(rate * seconds)
    sent = time.monotonic()
    processes.wait_for("the last event", lambda: total(deployment) >= wanted - EVENTS_A_REQUEST * CONNECTIONS, 60)
    print(f"  as fast as it goes: {rate:,.0f} events/s acknowledged for {sent - start:.0f} s, "
          f"all in an answer {time.monotonic() - sent:.1f} s later", flush=True)


def total(deployment):
    return sum(one["v"] for one in json.loads(Connection(deployment.query).ask("GET", "/v1/totals"))["kinds"])


def survey(deployment):
    """- Returns: chunks, their bytes, and events, of all partitions."""
    text = subprocess.run([processes.TALLY, "log", "verify", "--log", deployment.log_url],
                          capture_output=True, text=True, check=False).stdout
    found = re.findall(r"([\d,]+) chunks? of ([\d,]+) bytes?, ([\d,]+) events?", text)
    return [sum(int(one[index].replace(",", "")) for one in found) for index in range(3)]


def messages(deployment, name, send):
    before = survey(deployment)
    send()
    chunks, size, events = [after - earlier for after, earlier in zip(survey(deployment), before)]
    million = 1_000_000 / events
    print(f"  {name}: {events:,} events in {chunks:,} messages of {size:,} bytes; "
          f"of a million {chunks * million:,.0f} messages, {size * million:,.0f} bytes", flush=True)


def single_clicks(deployment, count):
    """One after the other, so that each is a chunk of its own."""
    connection = Connection(deployment.ingest[0])
    for number in range(count):
        connection.ask("GET", f"/counter/{number % BANNERS + 1}")


def clicks(deployment, open_loop, rate, seconds):
    subprocess.run([open_loop, str(deployment.ingest[0].port), "256", str(rate), str(seconds), str(BANNERS)], check=True,
                   stdout=subprocess.DEVNULL)


def measure(kind, options, open_loop):
    place = "/dev/shm" if kind is deployments.Kafka else options.directory
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tally-logs-", dir=place))
    directory.chmod(0o755)
    print(kind.name, flush=True)
    try:
        measure_messages(single(kind), directory / "messages", options, open_loop)
        measure_speed(single(kind), directory / "speed", options)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def measure_messages(kind, directory, options, open_loop):
    # What is in the store is purged from JetStream, and the mock forgets what is older than 5 MB a partition.
    processes.Tally.flush_every = "1h"
    deployment = kind(directory)
    try:
        messages(deployment, "clicks one after the other", lambda: single_clicks(deployment, 2_000))
        for rate in options.clicks:
            messages(deployment, f"{rate:,} clicks/s", lambda: clicks(deployment, open_loop, rate, options.seconds))
        messages(deployment, "100,000 events/s in batches of 1,000", lambda: run_load(deployment, 100_000, options.seconds))
    finally:
        deployment.stop()


def measure_speed(kind, directory, options):
    processes.Tally.flush_every = "1m"
    deployment = kind(directory)
    try:
        freshness(deployment, 1_000, options.seconds)
        freshness(deployment, 100_000, options.seconds)
        throughput(deployment, options.seconds)
    finally:
        deployment.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executable", required=True)
    parser.add_argument("--seconds", type=int, default=20, help="for each measurement")
    parser.add_argument("--clicks", type=int, nargs="+", default=[1_000, 10_000], help="single clicks a second")
    parser.add_argument("--directory", default="/var/tmp", help="where JetStream writes: not in memory")
    parser.add_argument("--only", choices=("jetstream", "kafka"))
    options = parser.parse_args()
    processes.TALLY = options.executable
    with tempfile.TemporaryDirectory() as place:
        open_loop = f"{place}/open_loop"
        source = pathlib.Path(__file__).with_name("open_loop.c")
        subprocess.run(["cc", "-O2", "-o", open_loop, str(source)], check=True)
        for kind in (deployments.JetStream, deployments.Kafka):
            if options.only in (None, kind.__name__.lower()):
                measure(kind, options, open_loop)


if __name__ == "__main__":
    main()
