# SPDX-License-Identifier: Apache-2.0
"""Clients, and the book of what they were promised. It knows nothing of how Tally counts."""

import http.client
import json
import random
import re
import threading
import time

# Of the events with an id; single clicks without one are of the kind that a click is by default.
KINDS = ("view", "buy")
PLAIN = "click"


class Book:
    """What was acknowledged, and what may have been counted without anybody having said so."""

    def __init__(self):
        self.lock = threading.Lock()
        self.began = int(time.time())
        # (banner, kind, minute) of events with an id: exactly so many.
        self.identified = {}
        # banner of events without an id: at least, and how many more at most.
        self.acknowledged = {}
        self.unknown = {}
        self.durable = {}
        self.refused = 0
        self.sent = 0
        # (time, how many identified events were acknowledged until then), ascending.
        self.history = [(time.monotonic(), 0)]

    def note_identified(self, events, durable):
        with self.lock:
            for banner, kind, minute in events:
                key = (banner, kind, minute)
                self.identified[key] = self.identified.get(key, 0) + 1
            self.history.append((time.monotonic(), self.history[-1][1] + len(events)))
            self.durable[durable] = self.durable.get(durable, 0) + len(events)

    def note_plain(self, banner, is_acknowledged):
        with self.lock:
            book = self.acknowledged if is_acknowledged else self.unknown
            book[banner] = book.get(banner, 0) + 1

    def note_sent(self, events):
        with self.lock:
            self.sent += events

    def note_refused(self):
        with self.lock:
            self.refused += 1

    def total_acknowledged(self):
        with self.lock:
            return self.history[-1][1] + sum(self.acknowledged.values())

    def complete_until(self, counted):
        """- Returns: the last moment up to which `counted` holds everything that was acknowledged."""
        with self.lock:
            moment = self.history[0][0]
            for index, (_, total) in enumerate(self.history):
                if total > counted:
                    return moment
                moment = self.history[index + 1][0] if index + 1 < len(self.history) else time.monotonic()
            return moment


class Client(threading.Thread):
    """Sends batches of events with ids, again and again to any server until they are acknowledged, and single clicks
    without an id, which it never repeats.

    - `identified`, `clicked`: the banners of the events with an id, and of the clicks; the former may be empty.
    - `pause`: the longest time between two requests, in seconds."""

    def __init__(self, number, seed, ports, book, stopping, identified, clicked, pause=0.02):
        super().__init__(daemon=True)
        self.number = number
        self.random = random.Random(f"{seed}-{number}")
        self.ports = ports
        self.identified = identified
        self.clicked = clicked
        self.pause = pause
        self.book = book
        self.stopping = stopping
        self.connections = {}
        self.last = 0

    def run(self):
        while not self.stopping.is_set():
            if not self.identified or self.random.random() < 0.7:
                self.click()
            else:
                self.send_batch()
            self.stopping.wait(self.random.random() * self.pause)

    def send_batch(self):
        minute = int(time.time()) // 60 * 60
        events = []
        lines = []
        for _ in range(self.random.randint(1, 60)):
            self.last += 1
            banner, kind = self.random.choice(self.identified), self.random.choice(KINDS)
            events.append((banner, kind, minute))
            lines.append(json.dumps(
                {"banner": banner, "kind": kind, "ts": minute, "id": f"client-{self.number}-{self.last}"}))
        self.book.note_sent(len(events))
        body = "\n".join(lines).encode()
        while True:
            answer = self.ask("POST", "/v1/events", body)
            if answer is not None and answer[0] == 200:
                counted = json.loads(answer[1])
                if counted["rejected"]:
                    raise AssertionError(f"good events were rejected: {counted['rejected'][:3]}")
                return self.book.note_identified(events, weakest(answer[2]))
            self.book.note_refused()
            # Without an end: what was sent once may count, so it must be acknowledged in the end.
            time.sleep(self.random.random() * 0.3)

    def click(self):
        self.click_on(self.random.choice(self.clicked))

    def click_on(self, banner):
        """- Returns: the receipt; nil when the click was not acknowledged."""
        answer = self.ask("GET", f"/counter/{banner}")
        is_acknowledged = answer is not None and answer[0] == 204
        self.book.note_plain(banner, is_acknowledged)
        return answer[2] if is_acknowledged else None

    def partitions(self, banners):
        """- Returns: banner → partition, as the receipt of one click on each says.
        - Precondition: the log is JetStream and takes what is sent."""
        found = {}
        for banner in banners:
            receipt = self.click_on(banner) or ""
            named = re.match(r"nats:[^/]+/(\d+)/", receipt)
            if not named:
                raise AssertionError(f"the receipt of a click names no stream: {receipt!r}")
            found[banner] = int(named[1])
        return found

    def ask(self, method, path, body=None):
        """- Returns: status, body and receipt; nil when nobody knows what became of it."""
        port = self.random.choice(self.ports)
        connection = self.connections.pop(port, None) or http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        self.connections[port] = connection
        return answer.status, content, answer.getheader("Tally-Receipt", "")


def weakest(receipt):
    """- Returns: what all of the receipt's parts survive at least."""
    for durability in ("disk", "quorum"):
        if f"durable={durability}" in receipt:
            return durability
    raise AssertionError(f"the receipt does not say what was survived: {receipt!r}")
