"""Runs EQL queries over events with python-eql, through its public API alone, and prints what it took as JSON.

    python3 python_eql.py QUERIES.json EVENTS.ndjson

Only the events are timed, in CPU seconds: reading them as JSON and running the queries. Loading is told apart.
"""

import json
import sys
import time

import eql


def main(queries_path, events_path):
    engine = eql.PythonEngine()
    alerts = 0

    def count(_output):
        nonlocal alerts
        alerts += 1

    engine.add_output_hook(count)
    started = time.process_time()
    with open(queries_path, encoding="utf-8") as file:
        queries = json.load(file)
    with eql.parser.elasticsearch_syntax:
        for query in queries:
            engine.add_query(eql.parse_query(query))
    loaded = time.process_time()
    events = 0
    with open(events_path, encoding="utf-8") as file:
        for line in file:
            events += 1
            # The queries begin with `any where`: the type is never looked at.
            engine.stream_event(eql.Event("generic", events, json.loads(line)))
    engine.finalize()
    seconds = time.process_time() - loaded
    report = {"events": events, "alerts": alerts, "rules": len(queries)}
    print(json.dumps({**report, "cpu_seconds": seconds, "loading_seconds": loaded - started}))


main(*sys.argv[1:])
