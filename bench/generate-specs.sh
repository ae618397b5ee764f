#!/bin/sh
# Writes made-up specs for measuring `maxspan test`: 1,000 files with 5 cases and a rule each, and one file with 1,000
# cases. Usage: bench/generate-specs.sh FOLDER
set -eu
folder=$1
mkdir -p "$folder/many" "$folder/rules" "$folder/one"

event() { # second, category, name, host
    printf '{"@timestamp": "2026-03-10T09:30:%02dZ", "event": {"kind": "event", "category": ["%s"], "type": ["start"]}, "host": {"id": "%s", "os": {"type": "linux"}}, "user": {"name": "root"}, "process": {"name": "%s", "pid": 4711, "args": ["%s", "-c", "true"]}}\n' "$1" "$2" "$4" "$3" "$3"
}

cases() { # how many, name of the process
    number=0
    while [ "$number" -lt "$1" ]; do
        number=$((number + 1))
        if [ $((number % 2)) -eq 0 ]; then
            printf '\n## Case %d: another host\n\n```ndjson silent\n' "$number"
            event 0 process "$2" h1
            event 5 network curl h2
        else
            printf '\n## Case %d: the same host\n\n```ndjson events alerts=1\n' "$number"
            event 0 process "$2" h1
            event 5 network curl h1
        fi
        printf '```\n'
    done
}

file=0
while [ "$file" -lt 1000 ]; do
    file=$((file + 1))
    id=$(printf '00000000-0000-4000-8000-%012d' "$file")
    cat > "$folder/rules/r$file.toml" <<RULE
[metadata]
maturity = "production"
[rule]
name = "Rule $file"
description = "A shell, then the network"
rule_id = "$id"
severity = "low"
risk_score = 21
type = "eql"
language = "eql"
query = '''
sequence by host.id with maxspan=1m
  [process where host.os.type == "linux" and event.type == "start" and process.name : ("sh$file", "bash$file") and not process.args : "--version"]
  [network where process.name in ("curl", "wget") and not user.id == "0"]
'''
RULE
    {
        printf '# Rule %d\n\nRule: [r%d](../rules/r%d.toml)\n' "$file" "$file" "$file"
        cases 5 "sh$file"
    } > "$folder/many/s$file.md"
done
{
    printf '# One file\n\nRule: [r1](../rules/r1.toml)\n'
    cases 1000 sh1
} > "$folder/one/cases.md"
