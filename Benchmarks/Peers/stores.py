# SPDX-License-Identifier: Apache-2.0
"""The stores that Tally can have, each with what it says of itself: statements, rows and bytes."""

import glob
import os
import pathlib
import pwd
import struct
import subprocess
import urllib.parse
import urllib.request

from processes import Failure, free_port, listens, run, stop, wait_until

SERVICES = pathlib.Path(__file__).resolve().parents[2] / "Scripts" / "services"


class SQLite:
    name = "SQLite"

    def __init__(self, workshop, layout):
        self.layout = layout
        self.path = workshop.directory("sqlite") / "tally.sqlite"
        self.url = f"sqlite:{self.path}"

    def statements(self):
        """Transactions: a row of a transaction is one prepared statement in the process itself. The index of the write-ahead
        log counts them, in its third word."""
        index = pathlib.Path(f"{self.path}-shm")
        return struct.unpack("<I", index.read_bytes()[8:12])[0] if index.exists() else 0

    def bytes(self):
        """Of the file, to be asked for when Tally was stopped: then the write-ahead log has been moved into it."""
        return {"": os.path.getsize(self.path)}

    def read_sql(self, banner, first, last):
        table, time, counts = names(self.layout)
        return f"""SELECT {time}, {counts} FROM {table.removeprefix('tally_')} WHERE banner_id = {banner}
            AND kind = (SELECT kind_id FROM kinds WHERE name = 'click') AND {time} BETWEEN {first} AND {last}"""

    def view_sql(self, banner, first, last):
        if self.layout == "hour":
            return None
        return f"""SELECT minute_timestamp, count FROM tally_minutes WHERE banner_id = {banner} AND kind = 'click'
            AND minute_timestamp BETWEEN {first} AND {last}"""

    def client(self, sql, times):
        """- Returns: milliseconds of each reading by Python's sqlite3, which is the library itself."""
        import sqlite3
        import time
        connection = sqlite3.connect(self.path)
        found = []
        for _ in range(times):
            start = time.perf_counter()
            connection.execute(sql).fetchall()
            found.append(1e3 * (time.perf_counter() - start))
        return found

    def stop(self):
        pass


class PostgreSQL:
    """With the settings of initdb: each commit is synced. It counts its statements."""

    name = "PostgreSQL"

    def __init__(self, workshop, layout):
        self.layout = layout
        found = glob.glob("/usr/lib/postgresql/*/bin")
        if not found:
            raise Failure("there is no PostgreSQL in /usr/lib/postgresql")
        programs = pathlib.Path(sorted(found, key=lambda path: int(path.split("/")[4]))[-1])
        directory = workshop.directory("postgresql")
        become = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        port = free_port()
        run(become + [programs / "initdb", "-D", directory / "data", "-U", "tally", "--auth=trust", "-E", "UTF8"], cwd="/")
        self.process = workshop.start(
            become + [programs / "postgres", "-D", directory / "data", "-c", "listen_addresses=127.0.0.1",
                      "-c", f"port={port}", "-c", f"unix_socket_directories={directory}",
                      "-c", "shared_preload_libraries=pg_stat_statements"], "postgresql")
        self.url = f"postgres://tally@127.0.0.1:{port}/postgres"
        wait_until(self.process, lambda: self.ask("SELECT 1"), "PostgreSQL")
        self.ask("CREATE EXTENSION pg_stat_statements")

    def ask(self, sql):
        return run(["psql", "--no-psqlrc", "-Atq", "-c", sql, self.url]).strip()

    def statements(self):
        """INSERTs of counts and of checkpoints."""
        return int(self.ask("""SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
            WHERE query LIKE 'INSERT INTO tally_%_counts %' OR query LIKE 'INSERT INTO tally_checkpoints %'"""))

    def bytes(self):
        size = f"SELECT pg_total_relation_size('{names(self.layout)[0]}')"
        written = int(self.ask(size))
        self.ask(f"VACUUM FULL {names(self.layout)[0]}")
        return {"as written": written, "after `VACUUM FULL`": int(self.ask(size))}

    def read_sql(self, banner, first, last):
        table, time, counts = names(self.layout)
        return f"""SELECT banner_id, {time}, kind, log, {counts}, up_to FROM {table}
            WHERE {time} BETWEEN to_timestamp({first}) AND to_timestamp({last}) AND banner_id = ANY('{{{banner}}}')
            AND kind = ANY('{{click}}')"""

    def view_sql(self, banner, first, last):
        return f"""SELECT minute_timestamp, count FROM tally_minutes WHERE banner_id = {banner} AND kind = 'click'
            AND minute_timestamp BETWEEN to_timestamp({first}) AND to_timestamp({last})"""

    def client(self, sql, times):
        """- Returns: milliseconds of each reading by psql, prepared."""
        self.ask(f"VACUUM ANALYZE {names(self.layout)[0]}")
        script = f"PREPARE day AS {sql};\n\\timing on\n" + "EXECUTE day;\n" * times
        output = subprocess.run(
            ["psql", "--no-psqlrc", "-Atq", self.url], input=script, text=True, capture_output=True, check=True).stdout
        return [float(line.split()[1]) for line in output.splitlines() if line.startswith("Time: ")]

    def upserts(self, seconds, connections):
        """- Returns: upserts a second, each a transaction: what a click costs without Tally."""
        self.ask("""CREATE TABLE IF NOT EXISTS clicks (banner_id bigint, minute_timestamp timestamptz, count bigint NOT NULL,
            PRIMARY KEY (banner_id, minute_timestamp))""")
        script = pathlib.Path(self.process.output).parent / "upsert.sql"
        script.write_text("""\\set banner random(1, 100)
INSERT INTO clicks AS c VALUES (:banner, date_trunc('minute', now()), 1) ON CONFLICT (banner_id, minute_timestamp) """
                          "DO UPDATE SET count = c.count + 1;\n")
        output = run(["pgbench", "-n", "-M", "prepared", "-f", script, "-c", connections, "-j", 2, "-T", seconds, self.url])
        return float(next(line for line in output.splitlines() if line.startswith("tps = ")).split()[2])

    def stop(self):
        stop(self.process)


class ClickHouse:
    """Debian's, of 2018."""

    name = "ClickHouse 18.16"
    service = "clickhouse"

    def __init__(self, workshop, layout):
        self.layout = layout
        directory = workshop.directory(self.service)
        self.port = free_port()
        more = self.more()
        run([SERVICES / self.service, "install"])
        self.process = workshop.start([SERVICES / self.service, "run", directory, self.port, *more], self.service)
        self.url = run([SERVICES / self.service, "url", self.port]).strip()
        wait_until(self.process, lambda: listens(self.port) and self.ask("SELECT 1"), self.service)

    def more(self):
        # clickhouse-client speaks another protocol, on a port of its own. The rest is of clusters, which this is none of.
        self.tcp_port, replication, keeper = free_port(), free_port(), free_port()
        return [self.tcp_port, replication, 0, "a", keeper, self.tcp_port]

    def ask(self, sql):
        address = urllib.parse.urlsplit(self.url)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/?database=default", data=sql.encode(),
            headers={"X-ClickHouse-User": address.username, "X-ClickHouse-Key": address.password})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read().decode().strip()

    def statements(self):
        """INSERTs of any table."""
        return int(self.ask("SELECT sum(value) FROM system.events WHERE event = 'InsertQuery'"))

    def bytes(self):
        size = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'tally_counts'"
        written = int(self.ask(size))
        self.ask("OPTIMIZE TABLE tally_counts FINAL")
        return {"as written": written, "merged": int(self.ask(size))}

    def read_sql(self, banner, first, last):
        _, time, counts = names(self.layout)
        return f"""SELECT banner_id, kind, {time}, log, {counts}, up_to FROM tally_counts FINAL
            WHERE {time} BETWEEN {first} AND {last} AND banner_id IN ({banner}) AND kind IN ('click')"""

    def view_sql(self, banner, first, last):
        return f"""SELECT minute_timestamp, count FROM tally_minutes WHERE banner_id = {banner} AND kind = 'click'
            AND minute_timestamp BETWEEN toDateTime({first}) AND toDateTime({last})"""

    def client(self, sql, times):
        """- Returns: milliseconds of each reading by clickhouse-client, in one session."""
        query = sql.replace("\n", " ")
        user = urllib.parse.urlsplit(self.url)
        arguments = ["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.tcp_port), "--user", user.username,
                     "--password", user.password, "--time", "--multiquery", "--format", "TabSeparated"]
        result = subprocess.run(
            arguments, input=f"{query};\n" * times, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
        return [1e3 * float(line) for line in result.stderr.split()]

    def stop(self):
        stop(self.process)


class ModernClickHouse(ClickHouse):
    """Its engine, behind an HTTP interface for tests."""

    name = "ClickHouse 26.9"
    service = "clickhouse-modern"

    def more(self):
        return []

    def client(self, sql, times):
        """- Returns: milliseconds of each reading over HTTP, since the engine comes without a client."""
        import http.client
        import time
        address = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        sql, found = sql + " FORMAT RowBinary", []
        for _ in range(times):
            start = time.perf_counter()
            connection.request("POST", "/?database=default", sql, {
                "X-ClickHouse-User": address.username, "X-ClickHouse-Key": address.password})
            connection.getresponse().read()
            found.append(1e3 * (time.perf_counter() - start))
        return found


STORES = [SQLite, PostgreSQL, ClickHouse, ModernClickHouse]
LAYOUTS = ["minute", "hour"]


def names(layout):
    """The table, its timestamp and its counts, where a store is PostgreSQL."""
    if layout == "minute":
        return "tally_minute_counts", "minute_timestamp", "count"
    return "tally_hour_counts", "hour_timestamp", "count_by_minute"
