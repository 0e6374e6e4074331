# SPDX-License-Identifier: Apache-2.0
"""Runs whole deployments while their parts are killed, paused and cut off in an order drawn from a seed. In the end every
event that was acknowledged must have been counted once, in its banner and its minute."""

import argparse
import datetime
import json
import os
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

import deployments
from faults import Faults
from load import KINDS, PLAIN, Book, Client
from processes import wait_for

BANNERS = 100


def ask(url, body=None, seconds=10):
    """- Returns: the answer's headers and body; nil when there is none."""
    try:
        request = urllib.request.Request(url, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.headers, json.loads(answer.read())
    except (OSError, ValueError):
        return None


class Watcher(threading.Thread):
    """Asks the query server all the time how much was counted, and notes how old what it lacks is."""

    def __init__(self, url, book, stopping):
        super().__init__(daemon=True)
        self.url = url
        self.book = book
        self.stopping = stopping
        self.ages = []
        self.answers = 0
        self.silences = 0
        self.problem = None

    def run(self):
        while not self.stopping.is_set():
            answer = ask(f"{self.url}/v1/totals", seconds=5)
            if answer is None:
                self.silences += 1
            else:
                self.answers += 1
                counted = identified_total(answer[1])
                if counted > self.book.sent:
                    self.problem = f"{counted} events were counted when {self.book.sent} had been sent"
                self.ages.append(time.monotonic() - self.book.complete_until(counted))
            self.stopping.wait(0.2)


def identified_total(totals):
    return sum(one["v"] for one in totals["kinds"] if one["kind"] in KINDS)


def counted_minutes(url, book):
    """- Returns: (banner, kind, minute) → count for the identified, banner → count for the others; nil without an answer."""
    first = min((key[2] for key in book.identified), default=0)
    identified, others = {}, {}
    for kind in (*KINDS, PLAIN):
        answer = ask(f"{url}/v1/series?kind={kind}&from={first - 3600}&to={int(time.time()) + 60}&step=1m", seconds=60)
        if answer is None:
            return None
        for series in answer[1]["series"]:
            for point in series["points"]:
                if kind != PLAIN:
                    identified[(series["banner"], kind, seconds_of(point["ts"]))] = point["v"]
                else:
                    others[series["banner"]] = others.get(series["banner"], 0) + point["v"]
    return identified, others


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def differences(book, counted):
    """- Returns: events lost and counted twice, and a line for each place where something is wrong."""
    identified, others = counted
    lost = doubled = 0
    lines = []
    for key in sorted(set(book.identified) | set(identified)):
        want, have = book.identified.get(key, 0), identified.get(key, 0)
        lost += max(0, want - have)
        doubled += max(0, have - want)
        if want != have:
            lines.append(f"banner {key[0]} {key[1]} minute {key[2]}: {want} were acknowledged, {have} counted")
    for banner in sorted(set(book.acknowledged) | set(book.unknown) | set(others)):
        low = book.acknowledged.get(banner, 0)
        high, have = low + book.unknown.get(banner, 0), others.get(banner, 0)
        lost += max(0, low - have)
        doubled += max(0, have - high)
        if not low <= have <= high:
            lines.append(f"banner {banner}: {low} to {high} were sent, {have} counted")
    return lost, doubled, lines


def run(kind, seed, seconds, directory):
    print(f"{kind.name}, seed {seed}, {seconds:.0f} s", flush=True)
    deployment = kind(directory)
    book = Book()
    no_more, all_over = threading.Event(), threading.Event()
    ports = [server.port for server in deployment.ingest]
    clients = [Client(number, seed, ports, BANNERS, book, no_more) for number in range(6)]
    watcher = Watcher(deployment.query.url, book, all_over)
    for thread in [*clients, watcher]:
        thread.start()

    faults = Faults(seed, deployment.faults)

    def check():
        if watcher.problem:
            raise AssertionError(watcher.problem)
        dead = [client for client in clients if not client.is_alive()]
        if dead and not no_more.is_set():
            raise AssertionError("a client has given up; its trace stands above")

    try:
        faults.run(seconds, check)
        deployment.recover()
        recovered = time.monotonic()
        no_more.set()
        for client in clients:
            client.join(timeout=120)
            if client.is_alive():
                raise AssertionError("what a client sends is not acknowledged although everything runs again")

        def is_complete():
            counted = counted_minutes(deployment.query.url, book)
            return counted if counted and differences(book, counted)[0] == 0 else None
        try:
            counted = wait_for("the complete answer", is_complete, 90)
        except AssertionError:
            counted = counted_minutes(deployment.query.url, book) or ({}, {})
        complete = time.monotonic() - recovered
        all_over.set()
        watcher.join()
    finally:
        no_more.set()
        all_over.set()
        endings = deployment.stop()
    return report(kind, seed, book, watcher, faults, counted, complete, endings)


def report(kind, seed, book, watcher, faults, counted, complete, endings):
    lost, doubled, lines = differences(book, counted)
    identified = sum(counted[0].values()) + sum(counted[1].values())
    ages = sorted(watcher.ages) or [0]
    print(f"  acknowledged {book.total_acknowledged()} events ({by_durability(book)}), "
          f"of unknown fate {sum(book.unknown.values())}, refused or unanswered requests {book.refused}")
    print(f"  counted      {identified}; lost {lost}, doubled {doubled}")
    print(f"  faults       {sum(faults.counts.values())}: "
          + ", ".join(f"{name} {count}" for name, count in sorted(faults.counts.items())))
    print(f"  answers      {watcher.answers}, none {watcher.silences} times; what they lacked was at most {ages[-1]:.1f} s old, "
          f"median {statistics.median(ages):.2f} s; complete {complete:.1f} s after the last fault")
    for line in lines[:20]:
        print(f"  WRONG: {line}")
    # Aggregators may be cut off in their last flush; the log keeps it. Nothing else ends in another way than it should.
    wrong = {name: status for name, status in endings.items() if status != 0 and name.split("-")[0] in TALLY}
    if wrong:
        print(f"  WRONG: ended otherwise than by themselves: {wrong}")
    return not lines and not wrong


TALLY = ("ingest", "aggregate", "query")


def by_durability(book):
    return ", ".join(f"{name} {count}" for name, count in sorted(book.durable.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="how long, all deployments together")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=("jetstream", "kafka"))
    options = parser.parse_args()
    kinds = [kind for kind in (deployments.JetStream, deployments.Kafka)
             if options.only in (None, kind.__name__.lower())]
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    good = 0
    for kind in kinds:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="tally-chaos-", dir=place))
        # A server that runs as another user has to get in.
        directory.chmod(0o755)
        is_good = False
        try:
            is_good = run(kind, options.seed, options.minutes * 60 / len(kinds), directory)
        except AssertionError as problem:
            print(f"  WRONG: {problem}")
        if is_good:
            good += 1
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"  FAILED; the logs are in {directory}; again with SEED={options.seed}")
    print(f"{good} passed, {len(kinds) - good} failed")
    return 0 if good == len(kinds) else 1


if __name__ == "__main__":
    sys.exit(main())
