# SPDX-License-Identifier: Apache-2.0
"""Many who watch the live stream, in a process of their own: it reads what comes and throws it away.

Prints `ready` when all have their first event; then, when its input ends, how many events and bytes came since."""

import selectors
import socket
import sys


def main(port, count, path):
    wanted = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), timeout=60)
        one.sendall(wanted)
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ, one)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    waiting, events, size = set(selector.get_map()), 0, 0
    waiting.discard(sys.stdin.fileno())
    while True:
        for key, _ in selector.select():
            if key.data is None:
                print(events, size, flush=True)
                return 0
            bytes_read = key.data.recv(1 << 16)
            if not bytes_read:
                print("a stream ended", flush=True)
                return 1
            if waiting:
                if b"event: " in bytes_read:
                    waiting.discard(key.fd)
                if not waiting:
                    print("ready", flush=True)
            else:
                events += bytes_read.count(b"\nevent: ")
                size += len(bytes_read)


sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
