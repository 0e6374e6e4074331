# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed, paused and started again, each in a directory of its own."""

import collections
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TALLY = os.environ.get("TALLY_EXECUTABLE", str(ROOT / ".build/debug/tally"))
# Deaths of children: a process that is waited for by two threads at once is waited for by none.
waiting = threading.Lock()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(what, condition, seconds):
    """Waits for the thing itself; returns what the condition gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} s")


def answers(url, seconds=2.0):
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.status == 200
    except OSError:
        return False


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def family(pid):
    """- Returns: the process and its descendants. They may have sessions of their own, as PostgreSQL's have."""
    children = collections.defaultdict(list)
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # PID (NAME) STATE PARENT …; the name may hold anything.
            parent = status.read_text().rpartition(")")[2].split()[1]
            children[int(parent)].append(int(status.parent.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


class Program:
    """A command that is started again after each death, with the same arguments over the same files."""

    def __init__(self, name, command, directory, is_ready, stop_signal=signal.SIGTERM):
        self.name = name
        self.command = command
        self.directory = pathlib.Path(directory)
        self.is_ready = is_ready
        self.stop_signal = stop_signal
        self.process = None
        self.is_paused = False

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "log", "ab") as log:
            # A session of its own: a signal from the terminal reaches the run alone, which ends its programs.
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)

    def become_ready(self, seconds=180):
        def is_there():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}; see {self.directory}/log")
            return self.is_ready()
        wait_for(self.name, is_there, seconds)

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    def send(self, number):
        """Signals the program and all that it has started."""
        if not self.runs:
            return
        # A program that stands still starts no more processes.
        os.kill(self.process.pid, signal.SIGSTOP)
        for pid in family(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        self.send(signal.SIGKILL)
        self.process.wait()
        self.is_paused = False

    def pause(self):
        self.send(signal.SIGSTOP)
        self.is_paused = True

    def go_on(self):
        self.send(signal.SIGCONT)
        self.is_paused = False

    def stop(self, seconds=60):
        """- Returns: how it ended; it is killed when it does not end by itself."""
        if not self.runs:
            return None
        self.go_on()
        self.process.send_signal(self.stop_signal)
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return "killed"


class Tally(Program):
    """One server of the deployment."""

    flush_every = "1s"

    def __init__(self, name, directory, port, *options):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        command = [TALLY, "serve", "--listen", f"127.0.0.1:{port}", "--data", f"{directory}/data", "--flush-every",
                   Tally.flush_every, *options]
        super().__init__(name, command, directory, lambda: answers(f"{self.url}/healthz"))


class Relay:
    """A port that leads to another one, until it is cut: then it takes nothing and says nothing."""

    def __init__(self, name, target):
        self.name = name
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_cut = False
        self.connections = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            incoming, _ = self.listener.accept()
            try:
                if self.is_cut:
                    raise OSError("cut")
                outgoing = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                outgoing.settimeout(None)
            except OSError:
                incoming.close()
                continue
            with self.lock:
                self.connections |= {incoming, outgoing}
            for source, sink in ((incoming, outgoing), (outgoing, incoming)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                # What was on its way when the line was cut never arrives, and nobody is told.
                while self.is_cut:
                    time.sleep(0.05)
                    if source not in self.connections:
                        return
                sink.sendall(data)
        except OSError:
            pass
        finally:
            self.drop({source, sink})

    def drop(self, sockets):
        with self.lock:
            self.connections -= sockets
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def cut(self):
        self.is_cut = True

    def mend(self):
        # Those that were cut are gone for good, as after a break in a network.
        self.drop(set(self.connections))
        self.is_cut = False
