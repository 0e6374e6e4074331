# SPDX-License-Identifier: Apache-2.0
"""How a row is measured: both sides in turns, and what load programs print."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import pathlib
import random
import re
import statistics
import subprocess
import sys

from processes import Failure, run
from servers import Nginx, PostgreSQL, Redis, Tally

HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass
class Row:
    name: str
    what: str
    beside: str
    unit: str
    aim: float
    measure: object
    # Of the ratio: whether the aim is its least or its most.
    at_least: bool = True
    # Takes so long that it is measured only when it is asked for by name.
    is_long: bool = False


@dataclasses.dataclass
class Result:
    row: Row
    tally: list
    peer: list
    note: str = ""

    @property
    def ratio(self):
        return statistics.median(self.tally) / statistics.median(self.peer)

    @property
    def is_met(self):
        return self.ratio >= self.row.aim if self.row.at_least else self.ratio <= self.row.aim


ROWS = []


def row(name, what, beside, aim, unit="/s", at_least=True, is_long=False):
    """Puts a function that measures into the table."""
    def add(measure):
        ROWS.append(Row(name, what, beside, unit, aim, measure, at_least, is_long))
        return measure
    return add


def batch(banners):
    """A body of NDJSON, a click of each banner."""
    return "".join(f'{{"banner":{banner},"kind":"click"}}\n' for banner in banners).encode()


def random_batches(count, events, banners):
    draw = random.Random(1)
    return [batch(draw.randint(1, banners) for _ in range(events)) for _ in range(count)]


class Bench:
    """What the rows use."""

    def __init__(self, workshop, rounds, seconds):
        self.workshop = workshop
        self.rounds = rounds
        self.seconds = seconds

    def tally(self, *options, **others):
        return Tally(self.workshop, *options, **others)

    def nginx(self):
        return Nginx(self.workshop)

    def redis(self, is_durable):
        return Redis(self.workshop, is_durable)

    def postgresql(self):
        return PostgreSQL(self.workshop)

    def alternate(self, tally, peer):
        """Each round measures both, and the next one in the other order: what else the machine does meets both alike."""
        values = {tally: [], peer: []}
        for number in range(self.rounds):
            for side in (tally, peer) if number % 2 else (peer, tally):
                values[side].append(side())
        return values[tally], values[peer]

    def clicks(self, url, connections, banners=100, depth=1, agent=""):
        """- Returns: answers a second."""
        return self._wrk(url, connections, HERE / "clicks.lua", [banners, depth, agent])

    def batches(self, url, connections, banners, events=1_000):
        """- Returns: requests a second."""
        return self._wrk(url, connections, HERE / "batches.lua", [events, banners])

    def fill(self, tally, bodies, requests):
        """Sends so many requests to `/v1/events`, on several connections, as fast as it goes."""
        def send(numbers):
            connection = http.client.HTTPConnection("127.0.0.1", tally.port, timeout=60)
            for number in numbers:
                connection.request("POST", "/v1/events", bodies[number % len(bodies)])
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    raise Failure(f"tally answered a batch with {answer.status}: {text[:300]}")

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(send, [range(first, requests, 8) for first in range(8)]))

    def reads(self, url, connections):
        """- Returns: answers a second."""
        return self._wrk(url, connections, None, [])

    def _wrk(self, url, connections, script, arguments):
        command = ["wrk", "-t", 1, "-c", connections, "-d", self.seconds, "--timeout", 30]
        command += ["-s", script] if script else []
        output = run(command + [url, "--"] + arguments)
        if "Non-2xx" in output or "Socket errors" in output:
            raise Failure(f"not every request to {url} was answered well:\n{output}")
        rate = float(re.search(r"^Requests/sec: +([0-9.]+)$", output, re.MULTILINE).group(1))
        if rate == 0:
            raise Failure(f"{url} answered nothing:\n{output}")
        return rate

    @contextlib.contextmanager
    def watchers(self, tally, count, path="/v1/live"):
        """So many who watch the live stream meanwhile, each of whom has its first event. Yields what they saw, when they have left."""
        process = subprocess.Popen(
            [sys.executable, "-B", HERE / "watchers.py", str(tally.port), str(count), path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        seen = {}
        try:
            if process.stdout.readline() != "ready\n":
                raise Failure(f"{count} watchers did not get their first event")
            yield seen
            process.stdin.close()
            seen["events"], seen["bytes"] = (int(word) for word in process.stdout.readline().split())
        finally:
            process.kill()
            process.wait()

    def latency(self, server, connections, rate, banners=100):
        """- Returns: microseconds at the 99th percentile, of requests that are due at a constant rate."""
        program = self.workshop.compile(HERE / "open_loop.c")
        return float(run([program, server.port, connections, rate, self.seconds, banners]).split()[2])

    def bursts(self, server, connections, rate, seconds, banners=100):
        """So many times a second a request on each connection, and nothing in between. - Returns: how many were answered."""
        program = self.workshop.compile(HERE / "bursts.c")
        return int(run([program, server.port, connections, rate, seconds, banners]))

    def syncs(self):
        """- Returns: microseconds of a write and its fdatasync where the servers keep their data, in the middle and at p99."""
        program = self.workshop.compile(HERE / "sync.c")
        return [float(word) for word in run([program, self.workshop.directory("disk") / "file", self.seconds]).split()[1:3]]
