"""Reads tables of a store with deltalake and DuckDB, and prints what both find as one JSON object.

read.py TABLE: events, the sum of process.pid, the processes by name, the documents in the order of time.
"""

import json
import sys

import duckdb
from deltalake import DeltaTable

table = sys.argv[1]
arrow = DeltaTable(table).to_pyarrow_table()
found = arrow.sort_by("@timestamp")
names = {}
for name in found["process.name"].to_pylist():
    names[name] = names.get(name, 0) + 1
by_delta = {
    "events": found.num_rows,
    "pids": sum(pid or 0 for pid in found["process.pid"].to_pylist()),
    "names": names,
    "args": found["process.args"].to_pylist()[0],
    "days": sorted({str(day) for day in found["day"].to_pylist()}),
    "documents": found["_source"].to_pylist(),
}
source = f"read_parquet('{table}/day=*/*.parquet', union_by_name = true, hive_partitioning = true)"
database = duckdb.connect()
one = lambda text: database.execute(text).fetchone()[0]
by_duckdb = {
    "events": one(f"select count(*) from {source}"),
    "pids": int(one(f'select sum("process.pid") from {source}')),
    "names": dict(database.execute(f'select "process.name", count(*) from {source} group by 1').fetchall()),
    "args": one(f'select "process.args" from {source} order by "@timestamp" limit 1'),
    "days": sorted(str(day) for (day,) in database.execute(f"select distinct day from {source}").fetchall()),
    "documents": [row[0] for row in database.execute(f'select _source from {source} order by "@timestamp"').fetchall()],
}
print(json.dumps({"deltalake": by_delta, "duckdb": by_duckdb}))
