# SPDX-License-Identifier: Apache-2.0
"""Measures Tally beside what a user would pick instead, and prints one table."""

import argparse
import datetime
import os
import pathlib
import platform
import re
import statistics
import sys

from measuring import ROWS, Bench, Result
from processes import Failure, Workshop, run
from servers import Tally
import rows  # noqa: F401  Fills ROWS.

PROJECT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = PROJECT / "docs" / "performance.md"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def main():
    arguments = parse()
    Tally.prepare(arguments.executable)
    chosen = choose(arguments.rows)
    results, failures = [], []
    with Workshop() as workshop:
        head = heading(arguments, workshop)
        print(head, flush=True)
        for row in chosen:
            print(f"{row.name} … ", end="", file=sys.stderr, flush=True)
            bench = Bench(workshop, arguments.rounds, arguments.seconds)
            try:
                results.append(measured(row, bench))
                print(f"{results[-1].ratio:.2f}", file=sys.stderr)
            except Failure as failure:
                failures.append(f"{row.name}: {failure}")
                print(f"failed\n{failure}", file=sys.stderr)
            finally:
                workshop.stop_all()
    text = head + "\n" + table(results)
    print("\n" + table(results), end="")
    if len(results) == len([row for row in ROWS if not row.is_long]) and not arguments.quick:
        keep(text)
    sys.exit(1 if failures else 0)


def parse():
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help="which to measure; all by default, but for those that take an hour")
    parser.add_argument("--rounds", type=int, default=5, help="how often both sides of a row are measured (5)")
    parser.add_argument("--seconds", type=int, default=3, help="how long each time (3)")
    parser.add_argument("--quick", action="store_true", help="one round of a second, only to see whether it works")
    parser.add_argument("--executable", default=PROJECT / ".build/release/tally", help="which tally")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = arguments.seconds = 1
    if arguments.rounds < 1 or arguments.seconds < 1:
        parser.error("rounds and seconds are whole numbers above 0")
    return arguments


def choose(names):
    known = {row.name: row for row in ROWS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench: there is no row {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else [row for row in ROWS if not row.is_long]


def measured(row, bench):
    tally, peer, *note = row.measure(bench)
    return Result(row, tally, peer, *note)


def heading(arguments, workshop):
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (
        f"{datetime.date.today()}, commit {git('rev-parse', '--short=10', 'HEAD')}{changed}, "
        f"{os.cpu_count()} cores ({processor.group(1) if processor else platform.machine()}), "
        f"{workshop.file_system}, Linux {platform.release().split('-')[0]}. "
        f"{arguments.rounds} rounds of {arguments.seconds} s, both sides in turns.\n"
        f"{versions()}.\n")


def git(*arguments):
    return run(["git", "-C", PROJECT, *arguments]).strip()


def versions():
    found = [
        ("nginx", run(["nginx", "-v"]), r"nginx/([0-9.]+)"),
        ("Redis", run(["redis-server", "--version"]), r"v=([0-9.]+)"),
        ("PostgreSQL", run(["psql", "--version"]), r"([0-9.]+)"),
    ]
    return ", ".join(f"{name} {re.search(pattern, text).group(1)}" for name, text, pattern in found)


def number(value):
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values, unit):
    middle = statistics.median(values)
    spread = max(max(values) - middle, middle - min(values)) / middle * 100
    return f"{number(middle)} {unit} ±{spread:.0f} %"


def table(results):
    lines = ["| row | what | Tally | beside | | ratio | aim | |", "|---|---|---|---|---|---|---|---|"]
    for result in results:
        row = result.row
        aim = f"{'≥' if row.at_least else '≤'} {row.aim:g}"
        lines.append(
            f"| `{row.name}` | {row.what} | {cell(result.tally, row.unit)} | {row.beside} | "
            f"{cell(result.peer, row.unit)} | {result.ratio:.2f} | {aim} | {'met' if result.is_met else 'missed'} |")
    notes = [f"`{result.row.name}`: {result.note}." for result in results if result.note]
    return "\n".join(lines) + "\n" + ("\n" + "\n".join(notes) + "\n" if notes else "")


def keep(text):
    """Puts the table into the document that says how to read it."""
    document = DOCUMENT.read_text()
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{text}{END}{after}")
    print(f"\n{DOCUMENT.relative_to(PROJECT)} has this table now.")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
