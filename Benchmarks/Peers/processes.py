# SPDX-License-Identifier: Apache-2.0
"""Processes, ports and directories that are gone when the run ends, however it ends."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class Failure(Exception):
    """Something that keeps a row from being measured; its text says what."""


class Workshop:
    """Everything a run starts or makes."""

    def __init__(self):
        # Not /tmp, which may be in memory, where a sync costs nothing.
        parent = os.environ.get("TALLY_BENCH_DIRECTORY", "/var/tmp")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tally-bench-", dir=parent))
        self.root.chmod(0o755)
        self._running = []
        self._directories = 0

    def __enter__(self):
        # Like Ctrl-C: everything is stopped on the way out.
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.stop_all()
        shutil.rmtree(self.root, ignore_errors=True)

    def stop_all(self):
        """Between two rows, and at the end."""
        for process in reversed(self._running):
            stop(process)
        self._running = []

    def directory(self, name):
        self._directories += 1
        path = self.root / f"{self._directories:03}-{name}"
        path.mkdir()
        return path

    def start(self, arguments, name):
        """A server, of its own process group so that Ctrl-C reaches it through this program alone."""
        self._running = [process for process in self._running if process.poll() is None]
        output = open(self.root / f"{name}-{len(self._running)}-{time.monotonic_ns()}.log", "wb")
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        process.output = output.name
        self._running.append(process)
        return process

    def compile(self, source):
        program = self.root / pathlib.Path(source).stem
        if not program.exists():
            run(["cc", "-O2", "-Wall", "-Werror", "-o", program, source])
        return program

    @property
    def file_system(self):
        return run(["stat", "--file-system", "--format=%T", self.root]).strip()


def stop(process, how=signal.SIGTERM):
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(arguments, **options):
    """- Returns: what the program printed."""
    arguments = [str(argument) for argument in arguments]
    result = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options)
    if result.returncode != 0:
        raise Failure(f"{' '.join(arguments)} ended with status {result.returncode}:\n{result.stdout[-2000:]}")
    return result.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(process, is_ready, what, seconds=60):
    """- Returns: the seconds it took."""
    start = time.monotonic()
    while True:
        if process.poll() is not None:
            tail = pathlib.Path(process.output).read_text(errors="replace")[-2000:]
            raise Failure(f"{what} ended with status {process.returncode}:\n{tail}")
        try:
            if is_ready():
                return time.monotonic() - start
        except (OSError, Failure):
            pass
        if time.monotonic() - start > seconds:
            raise Failure(f"{what} was not ready within {seconds} s; see {process.output}")
        time.sleep(0.001)


def listens(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def cpu_seconds(process):
    """What the process has used so far, in user and system mode."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(process):
    return int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
