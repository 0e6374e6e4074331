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

    def minutes_sql(self, banner, first, last):
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
        return f"""SELECT NULL::bigint, {time}, NULL, log, {counts}, up_to FROM {table}
            WHERE {time} BETWEEN to_timestamp({first}) AND to_timestamp({last}) AND banner_id = {banner}
            AND kind = 'click' UNION ALL SELECT NULL, NULL, name, log_id, NULL, NULL FROM tally_logs"""

    def minutes_sql(self, banner, first, last):
        """By the minute as in the view, by the hour of the table: the view makes minutes of all hours of a banner first."""
        if self.layout == "minute":
            return f"""SELECT minute_timestamp, count FROM tally_minutes WHERE banner_id = {banner} AND kind = 'click'
                AND minute_timestamp BETWEEN to_timestamp({first}) AND to_timestamp({last})"""
        return f"""SELECT hour_timestamp + key::integer * interval '1 minute' AS minute, sum(value::bigint)
            FROM tally_hour_counts CROSS JOIN LATERAL jsonb_each_text(count_by_minute) WHERE banner_id = {banner}
            AND kind = 'click' AND hour_timestamp BETWEEN to_timestamp({first}) AND to_timestamp({last}) GROUP BY 1 ORDER BY 1"""

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
    # Its client prints whole milliseconds.
    is_rounded = True

    def __init__(self, workshop, layout):
        self.workshop = workshop
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

    def minutes_sql(self, banner, first, last):
        """As in the documentation of the schema: of the table, since 18.16 reads all of it for the view."""
        _, time, _ = names(self.layout)
        minute, each = time, ""
        if self.layout == "hour":
            minute = "hour_timestamp + 60 * (place - 1)"
            each = " ARRAY JOIN count_by_minute AS count, arrayEnumerate(count_by_minute) AS place"
        return f"""SELECT {minute} AS minute, sum(count) AS counted FROM tally_counts FINAL{each}
            WHERE {time} BETWEEN {first} AND {last} AND banner_id = {banner} AND kind = 'click' AND count > 0
            GROUP BY minute ORDER BY minute"""

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
    is_rounded = False

    def more(self):
        return []

    def client(self, sql, times):
        """- Returns: milliseconds of each reading over HTTP, since the engine comes without a client."""
        address = urllib.parse.urlsplit(self.url)
        body = sql + " FORMAT RowBinary"
        # The interface runs a statement of its own for each setting; Tally sends these.
        settings = "wait_end_of_query=1&do_not_merge_across_partitions_select_final=1"
        request = (f"POST /?database=default&{settings} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-ClickHouse-User: {address.username}\r\n"
                   f"X-ClickHouse-Key: {address.password}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        return exchange(self.workshop, self.port, [request] * times)[0]


def exchange(workshop, port, requests):
    """- Returns: milliseconds of each, and the last answer."""
    program = workshop.compile(pathlib.Path(__file__).with_name("exchanges.c"))
    output = subprocess.run(
        [program, str(port)], input="".join(f"{len(request)}\n{request}" for request in requests).encode(),
        stdout=subprocess.PIPE, check=True).stdout
    lines = output.split(b"\n", len(requests))
    return [float(line.split()[0]) / 1e3 for line in lines[:-1]], lines[-1]


STORES = [SQLite, PostgreSQL, ClickHouse, ModernClickHouse]
LAYOUTS = ["minute", "hour"]


def names(layout):
    """The table, its timestamp and its counts, where a store is PostgreSQL."""
    if layout == "minute":
        return "tally_minute_counts", "minute_timestamp", "count"
    return "tally_hour_counts", "hour_timestamp", "count_by_minute"
