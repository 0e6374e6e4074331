# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, in an order drawn from a seed. Every fault ends by itself."""

import collections
import random
import time


class Fault:
    """Something that is done to one part and taken back later."""

    def __init__(self, kind, target, begin, end, is_possible):
        self.kind = kind
        self.target = target
        self.begin = begin
        self.end = end
        self.is_possible = is_possible


def of_program(group, program):
    """A program dies and comes back, or stands still for a while: then it is a zombie when it goes on."""

    def restart():
        program.start()

    return [
        Fault(f"kill {group}", program, program.kill, restart, lambda: program.runs and not program.is_paused),
        Fault(f"pause {group}", program, program.pause, program.go_on, lambda: program.runs and not program.is_paused),
    ]


def of_relay(group, relay):
    return [Fault(f"cut {group}", relay, relay.cut, relay.mend, lambda: not relay.is_cut)]


class Faults:
    """Begins a fault now and then, several at a time, and takes each back after some seconds."""

    def __init__(self, seed, faults, weights, longest=12.0):
        """- Parameter weights: kind → how often it begins, relative to a kind that is not named."""
        self.random = random.Random(f"{seed}-faults")
        # By kind, so that six servers are not hit six times as often as one store.
        self.by_kind = collections.defaultdict(list)
        for fault in faults:
            self.by_kind[fault.kind].append(fault)
        self.kinds = [kind for kind in sorted(self.by_kind) for _ in range(weights.get(kind, 1))]
        self.longest = longest
        self.counts = collections.Counter()
        self.going_on = []

    def run(self, seconds, check):
        """- Parameter check: is called several times a second."""
        end = time.monotonic() + seconds
        next_fault = time.monotonic() + 3
        while time.monotonic() < end:
            self.take_back(time.monotonic())
            if time.monotonic() >= next_fault:
                self.begin_one()
                next_fault = time.monotonic() + self.random.uniform(0.3, 4)
            check()
            time.sleep(0.1)
        self.take_back(float("inf"))

    def begin_one(self):
        kind = self.random.choice(self.kinds)
        fault = self.random.choice(self.by_kind[kind])
        # One thing at a time for one part.
        if any(other.target is fault.target for _, other in self.going_on) or not fault.is_possible():
            return
        fault.begin()
        self.counts[kind] += 1
        print(f"  {time.strftime('%H:%M:%S')} {kind}: {fault.target.name}", flush=True)
        # Most are short, some outlast every patience.
        self.going_on.append((time.monotonic() + self.random.uniform(0.1, 1) ** 2 * self.longest, fault))

    def take_back(self, now):
        for end, fault in [one for one in self.going_on if one[0] <= now]:
            fault.end()
            self.going_on.remove((end, fault))
