# SPDX-License-Identifier: Apache-2.0
"""Measures what a row for each minute and a row for each hour cost in each store: INSERTs, rows, bytes, and reading a day.

Everything is the program itself: events come over HTTP, go through the journal, and are flushed to real servers. Where an hour or
a day is needed, the times of the events run ahead of the clock instead, one minute for each flush.
"""

import argparse
import collections
import datetime
import pathlib
import random
import statistics
import sys
import time

from processes import Failure, Workshop, run, wait_until
from servers import Tally
from stores import LAYOUTS, STORES, exchange

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CLICKS_A_MINUTE = 30_000
LINES_A_REQUEST = 50_000


class Setup:
    """A store, and Tally in front of it."""

    def __init__(self, workshop, store, layout, *options):
        self.workshop = workshop
        self.store = store(workshop, layout)
        self.name = f"{store.name}, `{layout}`"
        self.tally = Tally(workshop, "--store", self.store.url, "--layout", layout, *options)
        wait_until(self.tally.process, lambda: self.metric("tally_store_ready") == 1, "the store")

    def metric(self, name):
        return self.tally.metric(name)

    def post(self, counts, when=None):
        """- Parameter counts: of each banner, in one minute."""
        rest = f',"ts":"{when:%Y-%m-%dT%H:%M:00Z}"' if when else ""
        lines = [f'{{"banner":{banner},"n":{count}{rest}}}' for banner, count in counts.items()]
        for start in range(0, len(lines), LINES_A_REQUEST):
            self.tally.post(lines[start:start + LINES_A_REQUEST])

    def wait_for_flush(self, seconds=300):
        wait_until(self.tally.process, lambda: self.metric("tally_unflushed_chunks") == 0, "the flush", seconds)

    def reset(self):
        self.wait_for_flush()
        self.before = (self.store.statements(), self.metric("tally_store_rows_written_total"), self.metric("tally_flushes_total"))

    def written(self):
        """- Returns: statements, rows and flushes since the reset."""
        now = (self.store.statements(), self.metric("tally_store_rows_written_total"), self.metric("tally_flushes_total"))
        return [int(after - before) for after, before in zip(now, self.before)]

    def sizes(self):
        self.wait_for_flush()
        self.tally.stop()
        return self.store.bytes()

    def stop(self):
        self.tally.stop()
        self.store.stop()


def clicks(generator, banners):
    """A minute of the user's load: each click is of any banner."""
    return collections.Counter(generator.randint(1, banners) for _ in range(CLICKS_A_MINUTE))


def all_setups(workshop, arguments, *options):
    return [Setup(workshop, store, layout, *options) for store in chosen(arguments) for layout in LAYOUTS]


def chosen(arguments):
    return [store for store in STORES if arguments.store in store.name]


def real(workshop, arguments):
    """100 banners, 500 requests a second by the clock, a flush a minute."""
    setups = all_setups(workshop, arguments)
    client = workshop.compile(pathlib.Path(__file__).with_name("open_loop.c"))
    # From shortly behind a minute to shortly behind another: each flush between has a whole minute.
    time.sleep(61 - time.time() % 60)
    seconds = 60 * arguments.minutes
    clients = [workshop.start([client, setup.tally.port, 16, 500, seconds + 62, 100], "client") for setup in setups]
    time.sleep(60)
    for setup in setups:
        setup.before = (setup.store.statements(), setup.metric("tally_store_rows_written_total"), setup.metric("tally_flushes_total"))
        setup.counted = setup.metric("tally_events_counted_total")
    started = time.monotonic()
    time.sleep(seconds)
    print("| store, layout | requests a second | INSERTs a minute | rows a minute |\n|---|---|---|---|")
    for setup in setups:
        statements, rows, flushes = setup.written()
        rate = (setup.metric("tally_events_counted_total") - setup.counted) / (time.monotonic() - started)
        print(f"| {setup.name} | {rate:.0f} | {statements / flushes:.1f} | {rows / flushes:,.0f} |", flush=True)
    for process in clients:
        process.wait(120)


def ahead(workshop, arguments, banners, minutes, every):
    """So many minutes of the user's load, whose times run ahead of the clock; of all stores side by side."""
    setups = all_setups(workshop, arguments, "--flush-every", f"{every}s", "--accept-early", "24h")
    start = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0) + datetime.timedelta(hours=1)
    if minutes > 23 * 60:
        start -= datetime.timedelta(hours=1)
    for setup in setups:
        setup.reset()
    generator = random.Random(8)
    for minute in range(minutes):
        counts = clicks(generator, banners)
        time.sleep(every - time.time() % every + 0.02)
        for setup in setups:
            setup.post(counts, start + datetime.timedelta(minutes=minute))
        for setup in setups:
            setup.wait_for_flush()
        if minute % 60 == 59:
            print(f"{minute + 1} of {minutes} minutes", file=sys.stderr, flush=True)
    print("| store, layout | INSERTs a minute | rows a minute | bytes |\n|---|---|---|---|")
    for setup in setups:
        statements, rows, flushes = setup.written()
        sizes = ", ".join(f"{size:,} {what}".strip() for what, size in setup.sizes().items())
        print(f"| {setup.name} | {statements / minutes:.1f} | {rows / minutes:,.0f} | {sizes} |", flush=True)
        if flushes != minutes:
            print(f"  ({flushes} flushes)")


def day(workshop, arguments):
    """100 banners, a day of 500 clicks a second."""
    ahead(workshop, arguments, 100, arguments.minutes or 1_440, 1)


def million(workshop, arguments):
    """A million banners, an hour of 500 clicks a second."""
    ahead(workshop, arguments, 1_000_000, arguments.minutes or 60, 5)


def active(workshop, arguments):
    """All of so many banners are clicked in each minute. One store after the other, for the sake of the times."""
    print("| store, layout | banners | INSERTs a minute | rows a minute | seconds a flush |\n|---|---|---|---|---|")
    for store in chosen(arguments):
        for layout in LAYOUTS:
            for banners, minutes, every in ((100, 6, 2), (10_000, 4, 4), (1_000_000, 3, 20)):
                setup = Setup(workshop, store, layout, "--flush-every", f"{every}s", "--accept-early", "24h")
                active_minutes(setup, banners, minutes, every)
                setup.stop()
    database = next((store for store in chosen(arguments) if store.name == "PostgreSQL"), None)
    if database:
        server = database(workshop, "minute")
        rate = server.upserts(10, 16)
        print(f"\nOne upsert a click: {rate:,.0f} a second (pgbench, 16 connections), {60 * rate:,.0f} INSERTs and rows a minute.")


def active_minutes(setup, banners, minutes, every):
    start = datetime.datetime.now(datetime.timezone.utc).replace(minute=0) + datetime.timedelta(hours=1)
    setup.reset()
    times = []
    for minute in range(minutes):
        rest = every - time.time() % every
        # All of a minute goes into one flush.
        if rest < 0.7 * every:
            time.sleep(rest + 0.02)
        setup.post({banner: minute % 9 + 1 for banner in range(1, banners + 1)}, start + datetime.timedelta(minutes=minute))
        boundary = time.time() + every - time.time() % every
        time.sleep(max(0, boundary - time.time()))
        setup.wait_for_flush()
        times.append(time.time() - boundary)
    statements, rows, flushes = setup.written()
    print(f"| {setup.name} | {banners:,} | {statements / flushes:.1f} | {rows / flushes:,.0f} "
          f"| {statistics.median(times):.2f} |", flush=True)


def read(workshop, arguments):
    """A day of one banner out of 100 banners x 30 days, over HTTP, beside the same SQL in the store's own client."""
    print("| store, layout | Tally, ms | rows, by its client, ms | ratio | minutes, by its client, ms | ratio |")
    print("|---|---|---|---|---|---|")
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - datetime.timedelta(days=31)
    for store in chosen(arguments):
        for layout in LAYOUTS:
            setup = Setup(workshop, store, layout, "--accept-late", "40d")
            fill(setup, first)
            day_of_one(setup, first + datetime.timedelta(days=20))
            setup.stop()


def fill(setup, first):
    """30 days, an hour in each request."""
    for hour in range(30 * 24):
        times = [f"{first + datetime.timedelta(hours=hour, minutes=minute):%Y-%m-%dT%H:%M:00Z}" for minute in range(60)]
        lines = [f'{{"banner":{banner},"n":{minute % 9 + 1},"ts":"{times[minute]}"}}'
                 for banner in range(1, 101) for minute in range(60)]
        post_patiently(setup.tally, lines)
    setup.tally.stop()
    setup.tally.start()
    wait_until(setup.tally.process, lambda: setup.metric("tally_store_ready") == 1, "the store")
    setup.wait_for_flush()


def post_patiently(tally, lines):
    while True:
        try:
            return tally.post(lines)
        except Failure as failure:
            # More rows than it looks up in the store at once: it says to come again.
            if "with 503" not in str(failure):
                raise
            time.sleep(0.2)


def day_of_one(setup, start):
    """Tally, beside the store's client: the rows as they are stored, which is what Tally asks for, and the minutes that it answers."""
    requests = []
    for number in range(110):
        # A minute later each time, so that no answer is one that was remembered.
        begin = start + datetime.timedelta(minutes=number)
        end = begin + datetime.timedelta(days=1)
        target = f"/v1/series?banner=42&kind=click&step=1m&from={begin:%Y-%m-%dT%H:%M:00Z}&to={end:%Y-%m-%dT%H:%M:00Z}"
        requests.append(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    times, answer = exchange(setup.workshop, setup.tally.port, requests)
    points = answer.count(b'"ts":')
    if points != 1_440:
        raise Failure(f"{setup.name}: {points} points, not 1440")
    first = int(start.timestamp())
    day = (42, first, first + 86_400 - 60)
    ours = statistics.median(times[10:])
    rows = client(setup.store, setup.store.read_sql(*day))
    minutes = client(setup.store, setup.store.minutes_sql(*day))
    print(f"| {setup.name} | {ours:.2f} | {rows:.2f} | {ours / rows:.2f} | {minutes:.2f} | {ours / minutes:.2f} |", flush=True)


def client(store, sql):
    """- Returns: the median of 100; where times are rounded, the mean of the middle half, which is finer."""
    if not sql:
        return float("nan")
    times = sorted(store.client(sql, 110)[10:])
    return statistics.fmean(times[25:75]) if getattr(store, "is_rounded", False) else statistics.median(times)


PARTS = {part.__name__: part for part in (real, day, million, active, read)}


def main():
    parser = argparse.ArgumentParser(prog="make measure", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which to measure; all by default")
    parser.add_argument("--minutes", type=int, help="how many of the load, instead of 5, 1440 and 60")
    parser.add_argument("--store", default="", help="a part of the name of the stores to measure; all by default")
    parser.add_argument("--executable", default=PROJECT / ".build/release/tally", help="which tally")
    arguments = parser.parse_args()
    Tally.prepare(arguments.executable)
    for name in arguments.parts or PARTS:
        print(f"\n{name}: {PARTS[name].__doc__}\n", flush=True)
        if name == "real":
            arguments.minutes = arguments.minutes or 5
        with Workshop() as workshop:
            PARTS[name](workshop, arguments)


if __name__ == "__main__":
    main()
