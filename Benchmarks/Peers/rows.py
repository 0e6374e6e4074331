# SPDX-License-Identifier: Apache-2.0
"""The rows of the table. Tally answers each write after its sync, with one event loop where nothing else is said; wrk and
the other load programs have one thread."""

import datetime
import json
import statistics
import sys
import time

from measuring import HERE, batch, random_batches, row
from processes import Failure, run
from servers import Tally


def beside_nginx(bench, connections, depth=1):
    tally, nginx = bench.tally(), bench.nginx()
    return bench.alternate(
        lambda: bench.clicks(tally.url, connections, depth=depth),
        lambda: bench.clicks(nginx.url, connections, depth=depth))


@row("counter-256", "`GET /counter/{id}`, 256 connections", "nginx `return 204`", 1.0)
def counter_256(bench):
    return beside_nginx(bench, 256)


@row("counter-64", "`GET /counter/{id}`, 64 connections", "nginx `return 204`", 0.9)
def counter_64(bench):
    return beside_nginx(bench, 64)


@row("pipelined", "`GET /counter/{id}`, 64 connections, 16 requests at once on each", "nginx `return 204`", 4.0)
def pipelined(bench):
    return beside_nginx(bench, 64, depth=16)


def beside_redis(bench, connections):
    tally, redis = bench.tally(), bench.redis(is_durable=True)
    return bench.alternate(
        lambda: bench.clicks(tally.url, connections), lambda: redis.increments(bench.seconds, connections, 1))


@row("redis-64", "`GET /counter/{id}`, 64 connections", "Redis `HINCRBY`, `appendfsync always`", 1.5)
def redis_64(bench):
    return beside_redis(bench, 64)


@row("redis-256", "`GET /counter/{id}`, 256 connections", "Redis `HINCRBY`, `appendfsync always`", 1.5)
def redis_256(bench):
    return beside_redis(bench, 256)


@row("postgresql", "`GET /counter/{id}`, 64 connections", "PostgreSQL, an upsert a click", 5.0)
def postgresql(bench):
    tally, postgres = bench.tally(), bench.postgresql()
    return bench.alternate(lambda: bench.clicks(tally.url, 64), lambda: postgres.upserts(bench.seconds, 64))


@row("ndjson", "NDJSON, 1,000 events a request, 16 connections; events", "Redis `HINCRBY`, 100 at once, no persistence", 1.5)
def ndjson(bench):
    tally, redis = bench.tally(), bench.redis(is_durable=False)
    return bench.alternate(
        lambda: 1_000 * bench.batches(tally.url, 16, banners=100), lambda: redis.increments(bench.seconds, 16, 100))


@row("banners", "`GET /counter/{id}`, 64 connections, 1,000,000 banners at random", "itself with 100", 0.7)
def banners(bench):
    few, many = bench.tally(), bench.tally()
    before = many.resident_bytes
    bench.fill(many, [batch(range(first, first + 1_000)) for first in range(1, 1_000_000, 1_000)], 1_000)
    count = json.loads(many.ask("/v1/totals"))["banners"]
    if count != 1_000_000:
        raise Failure(f"tally knows {count} banners instead of a million")
    swept = many.resident_bytes
    values = bench.alternate(
        lambda: bench.clicks(many.url, 64, banners=1_000_000), lambda: bench.clicks(few.url, 64, banners=100))
    note = (f"RSS a banner: {(swept - before) / 1e6:.0f} bytes when each was counted once (the aim: at most 200), "
            f"{(many.resident_bytes - before) / 1e6:.0f} after the rounds")
    return *values, note


def series(bench, layout):
    tally, nginx = bench.tally("--flush-every", "1s", "--layout", layout), bench.nginx()
    end = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    minutes = [end - datetime.timedelta(minutes=back) for back in range(1_440, 0, -1)]
    tally.post([
        json.dumps({"banner": 1, "ts": minute.strftime("%Y-%m-%dT%H:%M:00Z"), "n": 1 + number % 997})
        for number, minute in enumerate(minutes)])
    while tally.metric("tally_unflushed_chunks") > 0:
        time.sleep(0.1)

    def path(first):
        return f"/v1/series?banner=1&kind=click&from={minutes[first]:%Y-%m-%dT%H:%M:00Z}&to={end:%Y-%m-%dT%H:%M:00Z}"

    answer = tally.ask(path(0))
    points = len(json.loads(answer)["series"][0]["points"])
    if points != 1_440:
        raise Failure(f"the series has {points} points instead of 1,440")
    nginx.serve("series.json", answer)
    values = bench.alternate(
        lambda: bench.reads(tally.url + path(0), 64), lambda: bench.reads(nginx.url + "/series.json", 64))
    used = tally.cpu_seconds
    for first in range(1, 201):
        tally.ask(path(first))
    new = (tally.cpu_seconds - used) / 200 * 1e6
    return *values, f"{len(answer)} bytes; a range that nobody has asked for takes {new:,.0f} µs of processor time"


@row("series", "`/v1/series`, 24 h of a banner, 1,440 points, JSON", "the same bytes as a file, nginx", 0.3)
def series_of_minutes(bench):
    return series(bench, "minute")


@row("series-hour", "the same answer with `--layout hour`", "the same bytes as a file, nginx", 0.3)
def series_of_hours(bench):
    return series(bench, "hour")


@row("latency", "p99 at half of Tally's peak, 64 connections", "nginx at the same rate", 3.0, unit="µs", at_least=False)
def latency(bench):
    tally, nginx = bench.tally(), bench.nginx()
    rate = bench.clicks(tally.url, 64) / 2
    values = bench.alternate(lambda: bench.latency(tally, 64, rate), lambda: bench.latency(nginx, 64, rate))
    middle, high = bench.syncs()
    return *values, f"{rate:,.0f} requests/s offered; fdatasync alone takes {middle:.0f} µs, and {high:.0f} µs at p99"


@row("replay", "start after SIGKILL; entries of the journal", "`cat` and a loop in C", 0.3)
def replay(bench):
    # Nothing is flushed, so that all of the journal is read at each start.
    tally = bench.tally("--flush-every", "1h")
    bench.fill(tally, random_batches(250, 1_000, banners=10_000), 5_000 * bench.seconds)
    tally.kill()
    program = bench.workshop.compile(HERE / "replay.c")
    segments = sorted((tally.directory / "journal").glob("*.segment"))

    def in_c():
        line = run(["sh", "-c", 'program=$1; shift; cat "$@" | "$program"', "sh", program] + segments)
        entries, total, _, seconds = line.split()
        return int(entries) / float(seconds), int(entries), int(total)

    _, entries, total = in_c()

    def start():
        seconds = tally.start()
        counted = json.loads(tally.ask("/v1/totals"))["total"]
        tally.kill()
        if counted != total:
            raise Failure(f"tally counted {counted} after its start, the loop in C {total}")
        return entries / seconds

    values = bench.alternate(start, lambda: in_c()[0])
    size = sum(segment.stat().st_size for segment in segments) / 2**20
    return *values, f"{entries:,} entries of {total:,} events in {size:.0f} MiB, {entries / statistics.median(values[0]):.2f} s"


BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def judged(bench, agent, *options):
    tally, plain = bench.tally(*options), bench.tally("--bots", "off")
    return bench.alternate(
        lambda: bench.clicks(tally.url, 256, agent=agent), lambda: bench.clicks(plain.url, 256, agent=agent))


@row("agent", "`GET /counter/{id}` with a browser's `User-Agent`, 256 connections", "with `--bots off`", 0.97)
def agent(bench):
    return judged(bench, BROWSER)


@row("bots", "the same with a crawler's: each counts twice", "with `--bots off`", 0.9)
def bots(bench):
    return judged(bench, CRAWLER)


@row("burst", "the same with a browser's and `--burst 100`", "with `--bots off`", 0.9)
def burst(bench):
    return judged(bench, BROWSER, "--burst", "100")


@row("visitors", "the same with a browser's and `--visitors on`", "with `--bots off`", 0.9)
def visitors(bench):
    return judged(bench, BROWSER, "--visitors", "on")


def watched(bench, count, path):
    """The same server counts with and without them."""
    tally, seen = bench.tally(), []

    def alone():
        return bench.clicks(tally.url, 256)

    def with_watchers():
        with bench.watchers(tally, count, path) as one:
            rate = bench.clicks(tally.url, 256)
        seen.append(one)
        return rate

    values = bench.alternate(with_watchers, alone)
    events = sum(one["events"] for one in seen) / len(seen) / count
    size = sum(one["bytes"] for one in seen) / max(1, sum(one["events"] for one in seen))
    return *values, f"{events / bench.seconds:.1f} events a second for each watcher, {size:,.0f} bytes each"


@row("live-sums", "`GET /counter/{id}`, 256 connections, while 1,000 watch the sums of all banners", "while nobody watches", 0.9)
def live_sums(bench):
    return watched(bench, 1_000, "/v1/live")


@row("live-banners", "the same while 1,000 watch ten banners by name", "while nobody watches", 0.9)
def live_banners(bench):
    return watched(bench, 1_000, "/v1/live?sums=true&" + "&".join(f"banner={number}" for number in range(1, 11)))


# What the dashboard asks when a view is opened, by the files that it has cached already.
VIEWS = {
    "overview": ["/v1/top?window=1h&limit=10&kind=click", "/v1/totals?from={midnight}&to={hour}",
                 "/v1/totals?from={yesterday}&to={midnight}"],
    "banner": ["/v1/banners/1"] + [
        f"/v1/series?banner=1&kind=click&kind=impression&from={{hour}}&to={{end}}&step=1m&tz=Europe/Moscow&{more}"
        for more in ("fill=zero", "traffic=invalid")],
    "banners": ["/v1/banners?limit=50&totals=true"],
    "system": ["/v1/status"],
}


@row("views", "processor time of opening each view of the dashboard once, 100,000 banners", "10,000 clicks", 1.0,
     unit="ms", at_least=False)
def views(bench):
    tally = bench.tally("--flush-every", "1s")
    bench.fill(tally, [batch(range(first, first + 1_000)) for first in range(1, 100_000, 1_000)], 100)
    while tally.metric("tally_unflushed_chunks") > 0:
        time.sleep(0.1)
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    text = {name: f"{moment:%Y-%m-%dT%H:%M:00Z}" for name, moment in {
        "end": now + datetime.timedelta(minutes=1), "hour": now - datetime.timedelta(minutes=59),
        "midnight": now.replace(hour=0, minute=0), "yesterday": now.replace(hour=0, minute=0) - datetime.timedelta(days=1)}.items()}
    costs = {view: [] for view in VIEWS}

    def open_views():
        for view, paths in VIEWS.items():
            used = tally.cpu_seconds
            for path in paths * 20:
                tally.ask(path.format(**text))
            costs[view].append((tally.cpu_seconds - used) / 20 * 1e3)
        return sum(cost[-1] for cost in costs.values())

    values = bench.alternate(open_views, lambda: 10_000 * processor_cost(bench, tally) / 1e3)
    return *values, ", ".join(f"{view} {statistics.median(cost):.1f} ms" for view, cost in costs.items())


def processor_cost(bench, tally, connections=256):
    """Microseconds of processor time for each click."""
    used, start = tally.cpu_seconds, time.monotonic()
    rate = bench.clicks(tally.url, connections)
    return (tally.cpu_seconds - used) / (rate * bench.seconds) * 1e6


@row("loops", "processor time of a click with two event loops", "with one", 1.1, unit="µs", at_least=False)
def loops(bench):
    if not Tally.takes_loops:
        raise Failure("this tally has no --loops")
    one, two = bench.tally(loops=1), bench.tally(loops=2)
    return bench.alternate(lambda: processor_cost(bench, two), lambda: processor_cost(bench, one))


@row("hour", "processor time of a click in the minutes 51 to 60 of a steady load", "in the minutes 1 to 10", 1.1, unit="µs",
     at_least=False, is_long=True)
def hour(bench):
    tally = bench.tally()
    costs = []
    for minute in range(60):
        used = tally.cpu_seconds
        clicks = bench.bursts(tally, connections=64, rate=50, seconds=60)
        costs.append((tally.cpu_seconds - used) / clicks * 1e6)
        print(f"{costs[-1]:.2f} ", end="", file=sys.stderr, flush=True)
    return costs[50:], costs[:10], f"3,200 clicks/s offered, RSS at the end {tally.resident_bytes / 2**20:.0f} MiB"
