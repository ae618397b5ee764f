"""Writes events as others do: others.py FOLDER makes nested.parquet, dotted.parquet, and a Delta table `table`."""

import sys
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

folder = sys.argv[1]
time = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
times = pa.array([time, time], pa.timestamp("us", tz="UTC"))
nested = pa.table(
    {
        "@timestamp": times,
        "process": pa.array([{"name": "curl", "pid": 7, "args": ["curl", "-s"]}, {"name": "sh", "pid": 8, "args": None}]),
        "event": pa.array([{"category": ["process"], "type": ["start"]}] * 2),
    }
)
pq.write_table(nested, f"{folder}/nested.parquet", compression="snappy")
dotted = pa.table(
    {
        "@timestamp": pa.array(["2026-01-01T12:00:00Z", None]),
        "process.name": pa.array(["curl", "sh"]).dictionary_encode(),
        "event.category": pa.array([["process"], ["process"]], pa.list_(pa.large_string())),
        "process.pid": pa.array([7, None], pa.int32()),
    }
)
pq.write_table(dotted, f"{folder}/dotted.parquet", compression="gzip")
write_deltalake(f"{folder}/table", nested.append_column("part", pa.array(["a", "b"])), partition_by=["part"])
