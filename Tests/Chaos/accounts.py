# SPDX-License-Identifier: Apache-2.0
"""What Tally says that it has counted, and how that differs from what the clients were promised."""

import datetime
import json
import time
import urllib.request

from load import KINDS, PLAIN

# What the servers of Tally are called.
SERVERS = ("ingest", "aggregate", "query")


def ask(url, body=None, seconds=10):
    """- Returns: the answer's headers and body; nil when there is none."""
    try:
        request = urllib.request.Request(url, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.headers, json.loads(answer.read())
    except (OSError, ValueError):
        return None


def counted_minutes(url, book):
    """- Returns: (banner, kind, minute) → count for the identified, banner → count for the others; nil without an answer."""
    identified, others = {}, {}
    for kind in (*KINDS, PLAIN):
        answer = ask(f"{url}/v1/series?kind={kind}&from={book.began - 3600}&to={int(time.time()) + 60}&step=1m", seconds=60)
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
    """- Returns: events lost and counted twice, and a line for each sum that is wrong."""
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


def when_complete(deployment, book, seconds):
    """Goes on while more is counted, so that late events are not reported as lost.
    - Returns: the first complete answer, or the last one when the counts have not grown for `seconds`."""
    counted, most, since = ({}, {}), -1, time.monotonic()
    while time.monotonic() < since + seconds:
        counted = counted_minutes(deployment.query.url, book) or counted
        if differences(book, counted)[0] == 0:
            break
        if total(counted) > most:
            most, since = total(counted), time.monotonic()
        time.sleep(0.2)
    return counted


def total(counted):
    return sum(sum(one.values()) for one in counted)


def report(deployment, book, counts, dropped, endings):
    """Prints what was counted and what is wrong with it. - Returns: whether nothing is."""
    durable = ", ".join(f"{name} {count}" for name, count in sorted(book.durable.items()))
    print(f"  acknowledged {book.total_acknowledged()} events" + (f" ({durable})" if durable else "")
          + f", of unknown fate {sum(book.unknown.values())}, refused or unanswered requests {book.refused}")
    wrong = []
    for name, counted in counts.items():
        lost, doubled, lines = differences(book, counted)
        print(f"  counted      {total(counted)} in {name}; lost {lost}, doubled {doubled}")
        wrong += [f"{name}: {line}" for line in lines]
    print(f"  dropped      {dropped} messages of the log")
    if deployment.is_trimmed and not dropped:
        wrong.append("the log was never trimmed, so that no server can have missed what was")
    ended = {name: status for name, status in endings.items() if status != 0 and name.split("-")[0] in SERVERS}
    if ended:
        wrong.append(f"servers ended with an error: {ended}")
    for line in wrong[:20]:
        print(f"  WRONG: {line}")
    return not wrong
