//! The table of the cases. Memory and time have room for a build without optimisation on a busy machine.

use crate::make::{self, Meanwhile, NOTHING};
use crate::support::Place;

/// A case: what is broken, and what comes of it.
pub(crate) struct Case {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    /// What happens, as the page says it.
    pub(crate) happens: &'static str,
    /// Counters of the stats, as the page names them.
    pub(crate) counted: &'static str,
    pub(crate) make: fn(&Place),
    /// Arguments of the hunt, before the good events.
    pub(crate) arguments: &'static [&'static str],
    pub(crate) meanwhile: Meanwhile,
    /// What standard error says.
    pub(crate) says: &'static [&'static str],
    /// Values in the stats, by JSON pointer.
    pub(crate) counts: &'static [(&'static str, u64)],
    pub(crate) mebibytes: u64,
    pub(crate) seconds: u64,
    pub(crate) others: &'static [Other],
}

/// Another command on the same files.
pub(crate) struct Other {
    pub(crate) arguments: &'static [&'static str],
    pub(crate) code: i32,
    /// What standard output or error says.
    pub(crate) says: &'static [&'static str],
}

/// What most cases share: a hunt over `bad.ndjson`, in little memory.
const PLAIN: Case = Case {
    group: "events",
    name: "",
    happens: "",
    counted: "",
    make: |_| (),
    arguments: &["bad.ndjson"],
    meanwhile: NOTHING,
    says: &[],
    counts: &[],
    mebibytes: 64,
    seconds: 120,
    others: &[],
};

const QUERY: &[&str] = &["query", "--language", "eql", "any where process.name : \"*\"", "bad.ndjson"];

const CHECK: &[&str] = &["rules", "check", "rules"];

const QUERY_FILE: &[&str] = &["query", "--language", "eql", "@bad.eql", "events.ndjson"];

const LOAD_CSV: &[&str] =
    &["lookup", "load", "bad", "--kind", "indicators", "--lookups", "tables", "bad.csv"];

const LOAD_STIX: &[&str] =
    &["lookup", "load", "bad", "--kind", "indicators", "--lookups", "tables", "bad.stix"];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "malformed JSON",
        happens: "the line is left out, named with its column",
        counted: "`events_failed`, `input_problems.malformed`",
        make: make::malformed,
        says: &["bad.ndjson:2:22: malformed: ", "4 read", "1 could not be read"],
        counts: &[("/events", 4), ("/events_failed", 1), ("/input_problems/malformed", 1)],
        others: &[Other {
            arguments: QUERY,
            code: 0,
            says: &["bad.ndjson:2:22: malformed: ", "\"value\":2"],
        }],
        ..PLAIN
    },
    Case {
        name: "invalid UTF-8",
        happens: "the line is left out, where a rule reads the field",
        counted: "`events_failed`, `input_problems.malformed`",
        make: make::not_utf8,
        says: &["bad.ndjson:2:21: malformed: invalid unicode code point"],
        counts: &[("/events", 4), ("/events_failed", 1)],
        others: &[Other { arguments: QUERY, code: 0, says: &["bad.ndjson:2:21: malformed: "] }],
        ..PLAIN
    },
    Case {
        name: "a NUL byte in a text",
        happens: "the line is left out, where a rule reads the field",
        counted: "`events_failed`, `input_problems.malformed`",
        make: make::nul_bytes,
        says: &["bad.ndjson:2:22: malformed: control character"],
        counts: &[("/events", 4), ("/events_failed", 1)],
        others: &[Other { arguments: QUERY, code: 0, says: &["bad.ndjson:2:22: malformed: "] }],
        ..PLAIN
    },
    Case {
        name: "32 MiB of NUL bytes in a file",
        happens: "one message; the lines around it are read",
        counted: "`events_failed`, `input_problems.malformed`",
        make: make::hole,
        says: &["bad.ndjson:2:1: "],
        counts: &[("/events", 4), ("/events_failed", 1)],
        others: &[Other { arguments: QUERY, code: 0, says: &["bad.ndjson:2:1: "] }],
        ..PLAIN
    },
    Case {
        name: "10,000 arrays within each other",
        happens: "the line is left out, where a rule reads the field; else the event is matched and its alert has the \
                  document as text",
        counted: "`events_failed`, `input_problems.malformed`",
        make: make::nested_named,
        says: &["bad.ndjson:2:", "recursion limit exceeded"],
        counts: &[("/events", 4), ("/events_failed", 1)],
        others: &[Other { arguments: QUERY, code: 0, says: &["recursion limit exceeded"] }],
        ..PLAIN
    },
    Case {
        name: "10,000 objects that are never closed",
        happens: "left out; the next line that starts a document is read",
        counted: "`events_failed`, `input_problems`",
        make: make::nested_open,
        says: &["bad.ndjson:2:"],
        counts: &[("/events", 4), ("/events_failed", 1)],
        ..PLAIN
    },
    Case {
        name: "a line of 100 MB",
        happens: "left out without being held in memory (a document may have 16 MiB)",
        counted: "`events_failed`, `input_problems.too-long`",
        make: make::long_line,
        says: &["bad.ndjson:2:1: too-long: "],
        counts: &[("/events", 4), ("/events_failed", 1), ("/input_problems/too-long", 1)],
        mebibytes: 128,
        others: &[Other { arguments: QUERY, code: 0, says: &["bad.ndjson:2:1: too-long: "] }],
        ..PLAIN
    },
    Case {
        name: "numbers beyond 64 bits and beyond any float",
        happens: "kept as floats; one beyond any float as text, and the alert is raised",
        counted: "`events_repaired`",
        make: make::great_numbers,
        says: &["5 read", "1 event mended", "Alerts  3 by 1 rule"],
        counts: &[("/events", 5), ("/events_failed", 0), ("/events_repaired", 1), ("/alerts", 3)],
        ..PLAIN
    },
    Case {
        name: "a key twice in one object",
        happens: "every value counts, so neither hides the other",
        counted: "–",
        make: make::repeated_keys,
        says: &["5 read", "Alerts  3 by 1 rule"],
        counts: &[("/events", 5), ("/events_failed", 0), ("/alerts", 3)],
        ..PLAIN
    },
    Case {
        group: "files",
        name: "a truncated gzip file",
        happens: "what came before is read",
        counted: "`input_problems.truncated`",
        make: make::truncated_gzip,
        arguments: &["bad.ndjson.gz"],
        says: &["bad.ndjson.gz:", "truncated: "],
        counts: &[("/input_problems/truncated", 1)],
        ..PLAIN
    },
    Case {
        group: "files",
        name: "a zip bomb: 16 GiB of zeros in 16 MiB",
        happens: "ended after the first GiB, since it gives more than 500 times its size",
        counted: "`input_problems.expansion`",
        make: make::bomb,
        arguments: &["bad.ndjson.gz"],
        says: &["bad.ndjson.gz:1:", "expansion: "],
        counts: &[("/events", 2), ("/input_problems/expansion", 1)],
        mebibytes: 128,
        ..PLAIN
    },
    Case {
        group: "files",
        name: "a folder that holds a link to itself",
        happens: "its files are read once, the link is named; below rules it is passed over",
        counted: "`input_problems.unreadable`",
        make: make::folder_loop,
        arguments: &["folder"],
        says: &["folder/loop: unreadable: ", "3 read"],
        counts: &[
            ("/events", 3),
            ("/events_failed", 0),
            ("/input_problems/unreadable", 1),
            ("/rules_loaded", 1),
        ],
        others: &[Other { arguments: CHECK, code: 0, says: &["1 rule"] }],
        ..PLAIN
    },
    Case {
        group: "files",
        name: "a file that cannot be read",
        happens: "named; the others are read. So is a rule file",
        counted: "`input_problems.unreadable`, `rule_files_failed`",
        make: make::unreadable,
        says: &["bad.ndjson: unreadable: ", "rules/bad.toml cannot be read"],
        counts: &[("/events", 2), ("/input_problems/unreadable", 1), ("/rule_files_failed", 1)],
        others: &[
            Other { arguments: QUERY, code: 3, says: &["bad.ndjson: unreadable: "] },
            Other { arguments: CHECK, code: 1, says: &["rules/bad.toml cannot be read"] },
        ],
        ..PLAIN
    },
    Case {
        group: "files",
        name: "a file that grows while it is read",
        happens: "read to the end that it has when the reader gets there",
        counted: "–",
        make: make::growing,
        arguments: &["--no-cap", "bad.ndjson"],
        meanwhile: make::grow,
        counts: &[("/events_failed", 0)],
        ..PLAIN
    },
    Case {
        group: "rules",
        name: "a rule with a broken query",
        happens: "shown with file and line; the other rules run",
        counted: "`rules_failed`",
        make: make::broken_query,
        arguments: &[],
        says: &["error[MX13", "rules/bad.toml:13:", "Rules   1 ran, 1 failed"],
        counts: &[("/rules_loaded", 1), ("/rules_failed", 1)],
        others: &[
            Other { arguments: CHECK, code: 1, says: &["rules/bad.toml:13:"] },
            Other { arguments: QUERY_FILE, code: 2, says: &["bad.eql:1:"] },
        ],
        ..PLAIN
    },
    Case {
        group: "rules",
        name: "regular expressions that explode, alone or together",
        happens: "the rule fails: what all expressions of a query may cost is limited",
        counted: "`rules_failed`",
        make: make::exploding_regex,
        arguments: &[],
        says: &[
            "error[MX1212]",
            "rules/bad.toml:13:",
            "have more than 200000 parts",
            "Rules   1 ran, 1 failed",
        ],
        counts: &[("/rules_loaded", 1), ("/rules_failed", 1)],
        mebibytes: 256,
        others: &[
            Other { arguments: CHECK, code: 1, says: &["MX1212", "rules/bad.toml:13:"] },
            Other { arguments: QUERY_FILE, code: 2, says: &["MX1212", "bad.eql:1:"] },
        ],
        ..PLAIN
    },
    Case {
        group: "rules",
        name: "a rule of 10 MB",
        happens: "refused without being read (a TOML file may have 4 MiB, a query 1 MiB)",
        counted: "`rule_files_failed`",
        make: make::large_rule,
        arguments: &[],
        says: &["rules/bad.toml ", "MX14", "Rules   1 ran"],
        counts: &[("/rules_loaded", 1), ("/rule_files_failed", 1)],
        others: &[
            Other { arguments: CHECK, code: 1, says: &["rules/bad.toml "] },
            Other { arguments: QUERY_FILE, code: 2, says: &["MX1701", "bad.eql:1:1"] },
        ],
        ..PLAIN
    },
    Case {
        group: "rules",
        name: "20,000 mistakes in one query or file",
        happens: "the first ones are shown, the others counted",
        counted: "`rules_failed`",
        make: make::many_messages,
        arguments: &[],
        says: &["rules/bad.ndjson:1:", "more errors like these", "Rules   1 ran, 20,000 failed"],
        counts: &[("/rules_loaded", 1), ("/rules_failed", 20_000)],
        mebibytes: 256,
        others: &[Other {
            arguments: QUERY_FILE,
            code: 0,
            says: &["bad.eql:1:", "more warnings like these"],
        }],
        ..PLAIN
    },
    Case {
        group: "rules",
        name: "100,000 exceptions",
        happens: "all are applied",
        counted: "–",
        make: make::many_exceptions,
        arguments: &["--exceptions", "exceptions"],
        counts: &[("/rules_loaded", 1), ("/exceptions_failed", 0), ("/exceptions_unused", 0), ("/alerts", 2)],
        mebibytes: 512,
        ..PLAIN
    },
    Case {
        group: "lookups",
        name: "a CSV file of indicators that is cut in a quote, with bytes that are no UTF-8",
        happens: "these rows are named with their lines; the others are used",
        counted: "`lookup load` says how many",
        make: make::cut_csv,
        arguments: &["--indicators", "bad.csv"],
        says: &["bad.csv:3: `threat.indicator.name` is no UTF-8", "bad.csv:4: a quote that is opened here"],
        counts: &[("/events", 2), ("/indicators", 1)],
        others: &[Other { arguments: LOAD_CSV, code: 0, says: &["bad: 1 row loaded, 2 cannot be used"] }],
        ..PLAIN
    },
    Case {
        group: "lookups",
        name: "a CSV file of a million columns",
        happens: "refused with its number; the table stays as it was",
        counted: "–",
        make: make::many_columns,
        arguments: &["--indicators", "bad.csv"],
        says: &["bad.csv:1: 1000000 columns; 1000 are allowed"],
        counts: &[("/events", 2), ("/indicators", 0)],
        others: &[Other { arguments: LOAD_CSV, code: 3, says: &["1000000 columns; 1000 are allowed"] }],
        mebibytes: 128,
        ..PLAIN
    },
    Case {
        group: "lookups",
        name: "a STIX pattern of 10,000 brackets within each other",
        happens: "the indicator is named and left out; the others are used",
        counted: "`lookup load` says how many",
        make: make::nested_pattern,
        arguments: &["--indicators", "bad.stix"],
        says: &["indicator--1: more than 100 brackets within each other"],
        counts: &[("/events", 2), ("/indicators", 1)],
        others: &[Other { arguments: LOAD_STIX, code: 0, says: &["bad: 1 row loaded, 1 cannot be used"] }],
        ..PLAIN
    },
    Case {
        group: "lookups",
        name: "a STIX bundle that is no JSON",
        happens: "named; the hunt goes on without it, and no table is made",
        counted: "–",
        make: make::no_bundle,
        arguments: &["--indicators", "bad.stix"],
        says: &["bad.stix: no JSON"],
        counts: &[("/events", 2), ("/indicators", 0)],
        others: &[Other { arguments: LOAD_STIX, code: 3, says: &["bad.stix: no JSON"] }],
        ..PLAIN
    },
];
