# SPDX-License-Identifier: Apache-2.0
"""How far a server has counted each partition, as its metrics say."""

import re
import urllib.request


def metrics(server):
    """- Returns: name with labels → value."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        lines = (line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
        return {line[0]: float(line[1]) for line in lines if len(line) == 2}


def progress(server, what):
    """- Parameter what: `position` for what is counted, `stored` for what is in the store.
    - Returns: partition → offset."""
    found = ((re.fullmatch(r'tally_partition_%s\{partition="(\d+)"\}' % what, name), value)
             for name, value in metrics(server).items())
    return {int(match[1]): int(value) for match, value in found if match}


def is_beyond(offsets, others):
    """- Returns: whether of each partition the offset is the other one or a higher one."""
    return all(offsets.get(partition, 0) >= other for partition, other in others.items())
