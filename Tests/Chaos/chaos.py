# SPDX-License-Identifier: Apache-2.0
"""Runs whole deployments while their parts are killed, paused and cut off in an order drawn from a seed. In the end every
event that was acknowledged must have been counted once, in its banner and its minute."""

import argparse
import functools
import math
import os
import pathlib
import random
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

import deployments
import reserve
from accounts import report, when_complete
from faults import Faults
from load import Book, Client
from tansu import Tansu
from watcher import Watcher

BANNERS = range(1, 101)

# In seconds. Kafka's mock answers a fetch with one batch, so a server reads only some hundred chunks a second. A server that begins a partition
# reads all chunks of the run for their event ids: after some minutes that takes longer than the time until the next fault, and counting stops.
LONGEST_RUN = 120


def clients_of(deployment, seed, book, no_more):
    """- Returns: six clients that have sent no more than one click on each banner."""
    ports = [server.port for server in deployment.ingest]
    identified = list(BANNERS)
    if deployment.without_ids:
        partition = Client(0, seed, ports, book, no_more, [], []).partitions(BANNERS)
        identified = [banner for banner in BANNERS if partition[banner] not in deployment.without_ids]
    return [Client(number, seed, ports, book, no_more, identified, list(BANNERS)) for number in range(6)]


def run(kind, seed, seconds, directory):
    print(f"{kind.name}, seed {seed}, {seconds:.0f} s", flush=True)
    deployment = kind(directory)
    book = Book()
    no_more, all_over = threading.Event(), threading.Event()
    watcher = Watcher(deployment.query.url, book, all_over)
    faults = Faults(seed, deployment.faults, deployment.weights)
    try:
        clients = clients_of(deployment, seed, book, no_more)
        for thread in [*clients, watcher]:
            thread.start()

        def check():
            if watcher.problem:
                raise AssertionError(watcher.problem)
            if any(not client.is_alive() for client in clients):
                raise AssertionError("a client has given up; its trace stands above")

        faults.run(seconds, check)
        deployment.recover()
        recovered = time.monotonic()
        no_more.set()
        for client in clients:
            client.join(timeout=120)
            if client.is_alive():
                raise AssertionError("what a client sends is not acknowledged although everything runs again")
        counted = when_complete(deployment, book, 90)
        complete = time.monotonic() - recovered
        dropped = deployment.dropped()
        all_over.set()
        watcher.join()
        stored = deployment.stored(book)
    finally:
        no_more.set()
        all_over.set()
        endings = deployment.stop()
    print(f"  faults       {sum(faults.counts.values())}: "
          + ", ".join(f"{name} {count}" for name, count in sorted(faults.counts.items())))
    ages = sorted(watcher.ages) or [0]
    print(f"  answers      {watcher.answers}, none {watcher.silences} times; what they lacked was at most {ages[-1]:.1f} s old, "
          f"median {statistics.median(ages):.2f} s; complete {complete:.1f} s after the last fault")
    return report(deployment, book, {"an answer": counted, "the store": stored}, dropped, endings)


def attempt(name, seed, scenario):
    """- Parameter scenario: is given a directory, and returns whether all was well.
    - Returns: the same."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tally-chaos-", dir=memory))
    # A server that runs as another user has to get in.
    directory.chmod(0o755)
    is_good = False
    try:
        is_good = scenario(directory)
    except (AssertionError, OSError) as problem:
        print(f"  WRONG: {problem}")
    if is_good:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        print(f"  FAILED: {name}; the logs are in {directory}; again with --seed {seed}", flush=True)
    return is_good


def mixed(options):
    """- Returns: (name, seed, scenario) of each run; the time is shared between them."""
    kinds = [kind for kind in (deployments.JetStream, deployments.Kafka, Tansu)
             if options.only in (None, kind.__name__.lower())]
    rounds = math.ceil(options.minutes * 60 / len(kinds) / LONGEST_RUN)
    seconds = options.minutes * 60 / len(kinds) / rounds
    return [(kind.name, seed, functools.partial(run, kind, seed, seconds))
            for seed in range(options.seed, options.seed + rounds) for kind in kinds]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3, help="how long all but reserve take together")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=("jetstream", "kafka", "tansu", "reserve"), help="one of them; reserve runs only so")
    reserve.add_options(parser)
    options = parser.parse_args()
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scenarios = reserve.scenarios(options) if options.only == "reserve" else mixed(options)
    failed = [name for name, seed, scenario in scenarios if not attempt(name, seed, scenario)]
    print(f"{len(scenarios) - len(failed)} passed, {len(failed)} failed" + "".join(f"\n  {name}" for name in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
