# SPDX-License-Identifier: Apache-2.0
"""Tally, and what a user would pick instead, each on a free port of the loopback and in a directory of its own."""

import glob
import json
import os
import pathlib
import pwd
import signal
import urllib.error
import urllib.request

from processes import Failure, cpu_seconds, free_port, listens, resident_bytes, run, stop, wait_until


class Tally:
    executable = None
    takes_loops = None

    def __init__(self, workshop, *options, loops=1, directory=None):
        self.workshop = workshop
        self.directory = directory or workshop.directory("tally")
        self.options = list(options)
        if loops is not None and Tally.takes_loops:
            self.options += ["--loops", loops]
        self.start()

    @staticmethod
    def prepare(executable):
        Tally.executable = executable
        Tally.takes_loops = "--loops" in run([executable, "serve", "--help"])

    def start(self):
        """- Returns: the seconds until it answered."""
        self.port = free_port()
        self.process = self.workshop.start(
            [Tally.executable, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.directory]
            + self.options, "tally")
        return wait_until(self.process, lambda: listens(self.port), "tally")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, body=None, headers={}):
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Failure(f"tally answered {path} with {error.code}: {error.read()[:500]}")

    def metric(self, name):
        for line in self.ask("/metrics").decode().splitlines():
            if line.split(" ")[0] == name:
                return float(line.split(" ")[1])
        raise Failure(f"tally has no metric {name}")

    def post(self, lines, query=""):
        answer = json.loads(self.ask("/v1/events" + query, "\n".join(lines).encode()))
        if answer["rejectedCount"]:
            raise Failure(f"tally rejected events: {answer['rejected'][:3]}")

    def kill(self):
        stop(self.process, signal.SIGKILL)

    def stop(self):
        stop(self.process)

    cpu_seconds = property(lambda self: cpu_seconds(self.process))
    resident_bytes = property(lambda self: resident_bytes(self.process))


class Nginx:
    """One worker, and the settings of Debian's package where they matter: sendfile, tcp_nopush."""

    def __init__(self, workshop):
        self.directory = workshop.directory("nginx")
        self.port = free_port()
        (self.directory / "files").mkdir()
        configuration = self.directory / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(f"""{user}
            worker_processes 1; daemon off; pid {self.directory}/pid; error_log {self.directory}/error.log;
            events {{ worker_connections 4096; }}
            http {{
                access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
                client_body_temp_path {self.directory}/body; proxy_temp_path {self.directory}/proxy;
                fastcgi_temp_path {self.directory}/fastcgi; uwsgi_temp_path {self.directory}/uwsgi;
                scgi_temp_path {self.directory}/scgi;
                server {{
                    listen 127.0.0.1:{self.port}; root {self.directory}/files;
                    location /counter/ {{ return 204; }}
                }}
            }}""")
        self.process = workshop.start(["nginx", "-c", configuration, "-p", self.directory], "nginx")
        wait_until(self.process, lambda: listens(self.port), "nginx")

    def serve(self, name, contents):
        (self.directory / "files" / name).write_bytes(contents)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        stop(self.process, signal.SIGQUIT)


class Redis:
    def __init__(self, workshop, is_durable):
        self.port = free_port()
        durable = ["--appendonly", "yes", "--appendfsync", "always"] if is_durable else ["--appendonly", "no"]
        self.process = workshop.start(
            ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", workshop.directory("redis"),
             "--save", ""] + durable, "redis")
        wait_until(self.process, lambda: listens(self.port), "redis")

    def increments(self, seconds, connections, pipelined, banners=100):
        """- Returns: HINCRBY a second."""
        rate = self._run(20_000 * pipelined ** 0.5, connections, pipelined, banners)
        return self._run(rate * seconds, connections, pipelined, banners)

    def _run(self, count, connections, pipelined, banners):
        output = run(
            ["redis-benchmark", "-h", "127.0.0.1", "-p", self.port, "-n", int(count), "-c", connections,
             "-P", pipelined, "-r", banners, "--csv", "HINCRBY", "clicks:28899960", "__rand_int__", "1"])
        return float(output.strip().splitlines()[-1].split('","')[1])

    def stop(self):
        stop(self.process)


class PostgreSQL:
    """With the settings of initdb: each commit is synced."""

    def __init__(self, workshop):
        found = glob.glob("/usr/lib/postgresql/*/bin")
        if not found:
            raise Failure("there is no PostgreSQL in /usr/lib/postgresql")
        programs = pathlib.Path(sorted(found, key=lambda path: int(path.split("/")[4]))[-1])
        self.directory = workshop.directory("postgresql")
        # It refuses to run as root.
        become = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        data = self.directory / "data"
        self.port = free_port()
        run(become + [programs / "initdb", "-D", data, "-U", "tally", "--auth=trust", "-E", "UTF8"], cwd="/")
        self.process = workshop.start(
            become + [programs / "postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}",
                      "-c", f"unix_socket_directories={self.directory}"], "postgresql")
        self.connection = ["-h", self.directory, "-p", self.port, "-U", "tally"]
        wait_until(
            self.process, lambda: run(["psql", *self.connection, "-c", "SELECT 1", "postgres"]), "PostgreSQL")
        run(["psql", *self.connection, "-c", """
            CREATE TABLE clicks (banner_id bigint, minute_timestamp timestamptz, count bigint NOT NULL,
            PRIMARY KEY (banner_id, minute_timestamp))""", "postgres"])
        self.script = self.directory / "upsert.sql"
        self.script.write_text("""\\set banner random(1, 100)
            INSERT INTO clicks AS c VALUES (:banner, date_trunc('minute', now()), 1)
            ON CONFLICT (banner_id, minute_timestamp) DO UPDATE SET count = c.count + 1;""".replace("\n            ", " ")
            .replace("100) ", "100)\n"))

    def upserts(self, seconds, connections):
        """- Returns: upserts a second, each a transaction."""
        output = run(["pgbench", "-n", "-M", "prepared", "-f", self.script, "-c", connections, "-j", 1, "-T", seconds,
                      *self.connection, "postgres"])
        for line in output.splitlines():
            if line.startswith("tps = "):
                return float(line.split()[2])
        raise Failure(f"pgbench said nothing of its rate:\n{output}")

    def stop(self):
        stop(self.process, signal.SIGINT)
