#!/usr/bin/env python3
"""Ten queries over a store, in ES|QL by maxspan and in SQL by DuckDB over the same Parquet files.

    python3 bench/stored-queries.py MAXSPAN STORE [STREAM [RUNS]]

Both have two threads. Runs are interleaved; medians are shown. maxspan is a process of its own each time, with its start and
the opening of the tables; DuckDB is warm, and only its query is timed. The rows of both are compared. Needs PyPI's `duckdb`.
"""

import json
import statistics
import subprocess
import sys
import time

import duckdb

THREADS = 2

# Name, ES|QL after FROM, SQL with {t} for the table. Rules of type threshold are groups and a condition on their count.
QUERIES = [
    (
        "threshold: accesses of processes by host",
        'WHERE event.action == "ProcessAccess" | STATS n = COUNT(*) BY host.name | WHERE n >= 100',
        """select count(*) n, "host.name" from {t} where "event.action" = 'ProcessAccess' group by 2 having n >= 100""",
    ),
    (
        "threshold: objects of the registry by user and host",
        'WHERE event.code == "12" | STATS n = COUNT(*) BY user.id, host.name | WHERE n >= 50',
        """select count(*) n, "user.id", "host.name" from {t} where "event.code" = '12' group by 2, 3 having n >= 50""",
    ),
    (
        "threshold with cardinality: ports of a source",
        "WHERE source.ip IS NOT NULL | STATS n = COUNT(*), d = COUNT_DISTINCT(destination.port) BY source.ip | WHERE n >= 5 AND d >= 2",
        """select count(*) n, count(distinct "destination.port") d, "source.ip" from {t} where "source.ip" is not null
           group by 3 having n >= 5 and d >= 2""",
    ),
    (
        "threshold: scripts of a host",
        'WHERE event.code IN ("4103", "800") | STATS n = COUNT(*) BY host.name | WHERE n >= 20',
        """select count(*) n, "host.name" from {t} where "event.code" in ('4103', '800') group by 2 having n >= 20""",
    ),
    (
        "all events by code",
        "STATS n = COUNT(*) BY event.code",
        """select count(*) n, "event.code" from {t} group by 2""",
    ),
    (
        "first and last time of a program on a host",
        "WHERE process.name IS NOT NULL | STATS n = COUNT(*), a = MIN(@timestamp), b = MAX(@timestamp) BY process.name, host.name | WHERE n <= 3",
        """select count(*) n, epoch_ms(min("@timestamp")) a, epoch_ms(max("@timestamp")) b, "process.name", "host.name" from {t}
           where "process.name" is not null group by 4, 5 having n <= 3""",
    ),
    (
        "images by name",
        'WHERE process.name LIKE "p*" AND event.action IS NOT NULL | STATS n = COUNT(*), h = COUNT_DISTINCT(host.name) BY process.name, event.action',
        """select count(*) n, count(distinct "host.name") h, "process.name", "event.action" from {t}
           where "process.name" like 'p%' and "event.action" is not null group by 3, 4""",
    ),
    (
        "logons by kind and user",
        "WHERE winlog.logon.type IS NOT NULL | STATS n = COUNT(*), u = COUNT_DISTINCT(user.name) BY winlog.logon.type",
        """select count(*) n, count(distinct "user.name") u, "winlog.logon.type" from {t}
           where "winlog.logon.type" is not null group by 3""",
    ),
    (
        "identifiers of processes",
        "WHERE process.pid > 1000 | STATS n = COUNT(process.pid), a = MIN(process.pid), b = MAX(process.pid), s = SUM(process.pid) BY event.code",
        """select count("process.pid") n, min("process.pid") a, max("process.pid") b, sum("process.pid")::bigint s, "event.code"
           from {t} where "process.pid" > 1000 group by 5""",
    ),
    (
        "rare codes of a host",
        "STATS n = COUNT(*) BY host.name, event.code | WHERE n == 1 | STATS m = COUNT(*)",
        """select count(*) m from (select count(*) n from {t} group by "host.name", "event.code" having n = 1)""",
    ),
]
MOST_ROWS = 10_000


def rows_of(rows):
    return sorted(json.dumps(row, default=str) for row in rows)


def ask_maxspan(program, store, text):
    command = [program, "query", "--language", "esql", "--format", "json", "--threads", str(THREADS), "--store", store, text]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=True)
    took = time.perf_counter() - started
    answer = json.loads(done.stdout)
    dates = [column["type"] == "date" for column in answer["columns"]]
    return took, answer["values"], dates


def as_millis(text):
    from datetime import datetime, timezone

    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


def main():
    program, store = sys.argv[1:3]
    stream = sys.argv[3] if len(sys.argv) > 3 else "*"
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    base = duckdb.connect()
    base.execute(f"set threads = {THREADS}")
    base.execute("set enable_object_cache = true")
    base.execute("set timezone = 'UTC'")
    table = f"read_parquet('{store}/{stream}/*/*.parquet', union_by_name = true, hive_partitioning = false)"
    print("| query | rows | maxspan, ms | DuckDB, ms | ratio |\n|---|---|---|---|---|")
    ratios = []
    for name, esql, sql in QUERIES:
        text = f"FROM {stream} | {esql} | LIMIT {MOST_ROWS}"
        ours, theirs = [], []
        for _ in range(runs):
            took, values, dates = ask_maxspan(program, store, text)
            ours.append(took)
            started = time.perf_counter()
            found = base.execute(sql.format(t=table)).fetchall()
            theirs.append(time.perf_counter() - started)
        values = [[as_millis(v) if date and v else v for v, date in zip(row, dates)] for row in values]
        if len(values) < MOST_ROWS and rows_of(values) != rows_of(found):
            ours_only = set(rows_of(values)) - set(rows_of(found))
            theirs_only = set(rows_of(found)) - set(rows_of(values))
            print(f"{name}: rows differ: {sorted(ours_only)[:3]} {sorted(theirs_only)[:3]}", file=sys.stderr)
        mine, other = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
        ratios.append(mine / other)
        print(f"| {name} | {len(values)} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |", flush=True)
    print(f"\nmedian of the ratios {statistics.median(ratios):.2f}, greatest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
