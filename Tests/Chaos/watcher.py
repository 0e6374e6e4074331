# SPDX-License-Identifier: Apache-2.0

import threading
import time

from accounts import ask
from load import KINDS


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
                counted = sum(one["v"] for one in answer[1]["kinds"] if one["kind"] in KINDS)
                if counted > self.book.sent:
                    self.problem = f"{counted} events were counted when {self.book.sent} had been sent"
                self.ages.append(time.monotonic() - self.book.complete_until(counted))
            self.stopping.wait(0.2)
