//! What a value means for a field of each type.

use super::{Form, Group, no, yes};

pub(super) const GROUP: Group = Group {
    title: "Types",
    about: "The type of a field is that of the built-in table or of a `--mapping`. A value that the type cannot hold matches \
            nothing, with a warning (`MX1305`).",
    forms: &[
        &KEYWORD, &WILDCARD, &TEXT, &NUMBER, &BOOLEAN, &IP, &DATE, &DATE_MATH, &VERSION, &CASELESS, &UNKNOWN,
    ],
};

static KEYWORD: Form = Form {
    form: "keyword",
    summary: "Equal as a whole, with case; patterns fit the whole value; `<` and `>` order strings. Numbers and booleans of \
              the event count as their text.",
    examples: &[
        yes("process.name: curl", r#"{"process.name": "curl"}"#),
        no("process.name: curl", r#"{"process.name": "curl -k"}"#),
        yes("process.title: *foo bar*", r#"{"process.title": "a foo bar"}"#),
        yes("user.id: 501", r#"{"user.id": 501}"#),
        yes("process.name > b", r#"{"process.name": "curl"}"#),
    ],
};

static WILDCARD: Form = Form {
    form: "wildcard, constant_keyword, flattened",
    summary: "As `keyword`, but white space in a pattern parts alternatives.",
    examples: &[
        yes("process.command_line: *curl*", r#"{"process.command_line": "sh -c curl"}"#),
        yes("process.command_line: *zzz* *curl*", r#"{"process.command_line": "sh -c curl"}"#),
        no("process.command_line: *curl zzz*", r#"{"process.command_line": "curl -k"}"#),
        yes("data_stream.type: log*", r#"{"data_stream.type": "logs"}"#),
    ],
};

static TEXT: Form = Form {
    form: "text, match_only_text",
    summary: "Some word is one of the value's words, in any case of letters; quoted, all words, adjacent and in order; a \
              pattern has to fit a word, and white space parts patterns.",
    examples: &[
        yes("message: red fox", r#"{"message": "The quick brown Fox"}"#),
        no("message: foxes", r#"{"message": "The quick brown Fox"}"#),
        yes("message: \"Brown fox\"", r#"{"message": "The quick brown Fox"}"#),
        no("message: \"quick fox\"", r#"{"message": "The quick brown Fox"}"#),
        yes("message: qui*", r#"{"message": "The quick brown Fox"}"#),
        yes("message: zeb* bro*", r#"{"message": "The quick brown Fox"}"#),
    ],
};

static NUMBER: Form = Form {
    form: "long, integer, double, float, …",
    summary: "Equal as numbers; ordered as numbers. There are no patterns.",
    examples: &[
        yes("process.pid: 7", r#"{"process.pid": "7"}"#),
        yes("process.pid: \"7\"", r#"{"process.pid": 7}"#),
        yes("event.risk_score: 7.0", r#"{"event.risk_score": 7}"#),
        yes("event.risk_score < 7.5", r#"{"event.risk_score": 7}"#),
        no("process.pid: seven", r#"{"process.pid": 7}"#),
        no("process.pid: 7*", r#"{"process.pid": 77}"#),
    ],
};

static BOOLEAN: Form = Form {
    form: "boolean",
    summary: "`true` or `false`.",
    examples: &[
        yes("process.code_signature.trusted: true", r#"{"process.code_signature.trusted": true}"#),
        yes("process.code_signature.trusted: \"false\"", r#"{"process.code_signature.trusted": "false"}"#),
        no("process.code_signature.trusted: false", "{}"),
    ],
};

static IP: Form = Form {
    form: "ip",
    summary: "The address, or any address in the block. An IPv6 address has colons, so it is quoted.",
    examples: &[
        yes("source.ip: 10.1.2.3", r#"{"source.ip": "10.1.2.3"}"#),
        yes("source.ip: 10.0.0.0/8", r#"{"source.ip": "10.1.2.3"}"#),
        no("source.ip: \"10.0.0.0/8\"", r#"{"source.ip": "192.0.2.1"}"#),
        yes("source.ip: \"2001:db8::/32\"", r#"{"source.ip": "2001:db8::1"}"#),
        yes("source.ip > 10.0.0.1", r#"{"source.ip": "10.1.2.3"}"#),
        yes("host.ip: 10.0.0.0/8", r#"{"host.ip": ["192.0.2.1", "10.1.2.3"]}"#),
    ],
};

static DATE: Form = Form {
    form: "date",
    summary: "Within what is written: hours and below that are not written are the whole of them; a missing month or day is \
              the first. `>` is after all of it, `>=` from its beginning on.",
    examples: &[
        yes("@timestamp: 2026-03-10", r#"{"@timestamp": "2026-03-10T15:12:36Z"}"#),
        no("@timestamp: 2026-03-10", r#"{"@timestamp": "2026-03-11T00:00:00Z"}"#),
        yes("@timestamp: 2026-03", r#"{"@timestamp": "2026-03-01T15:12:36Z"}"#),
        no("@timestamp: 2026-03", r#"{"@timestamp": "2026-03-10T15:12:36Z"}"#),
        no("@timestamp > 2026-03-10", r#"{"@timestamp": "2026-03-10T15:12:36Z"}"#),
        yes("@timestamp >= 2026-03-10", r#"{"@timestamp": "2026-03-10T00:00:00Z"}"#),
        yes("@timestamp: \"2026-03-10T15:12:36Z\"", r#"{"@timestamp": "2026-03-10T16:12:36+01:00"}"#),
        yes("event.created < 1773835200000", r#"{"event.created": "2026-03-10"}"#),
    ],
};

static DATE_MATH: Form = Form {
    form: "date with date math",
    summary: "`now` or a date with `||`, then steps such as `-1d`, and `/d` for the whole day. Here `now` is \
              2026-03-18T12:00:00Z; on the command line `--now` says what it is.",
    examples: &[
        yes("@timestamp >= now-1h", r#"{"@timestamp": "2026-03-18T11:00:00Z"}"#),
        no("@timestamp > now-1h", r#"{"@timestamp": "2026-03-18T11:00:00Z"}"#),
        yes("@timestamp >= now/d", r#"{"@timestamp": "2026-03-18T00:00:00Z"}"#),
        no("@timestamp > now-1d/d", r#"{"@timestamp": "2026-03-17T12:00:00Z"}"#),
        yes("@timestamp < \"2026-03-01||+1M/d\"", r#"{"@timestamp": "2026-03-31T23:59:59Z"}"#),
    ],
};

static VERSION: Form = Form {
    form: "version",
    summary: "Equal as text; ordered as semantic versions.",
    examples: &[
        yes("app.version > 1.9.0", r#"{"app.version": "1.10.0"}"#),
        yes("app.version < 1.9.0", r#"{"app.version": "1.9.0-beta"}"#),
        yes("app.version: 1.*", r#"{"app.version": "1.10.0"}"#),
    ],
};

static CASELESS: Form = Form {
    form: ".caseless",
    summary: "`process.name.caseless` has the values of `process.name` in lower case, and the value of the query is brought \
              into lower case too. Here and in text, lower case is Unicode's.",
    examples: &[
        yes("process.name.caseless: Curl", r#"{"process.name": "CURL"}"#),
        yes("process.name.caseless: ö*", r#"{"process.name": "Öl.exe"}"#),
    ],
};

static UNKNOWN: Form = Form {
    form: "a field that no schema knows",
    summary: "The event's JSON decides, and the value is tried as string, number and boolean; with a warning (`MX1304`).",
    examples: &[
        yes("vendor.port: 8080", r#"{"vendor.port": 8080}"#),
        yes("vendor.port: 8080", r#"{"vendor.port": "8080"}"#),
        yes("vendor.on: true", r#"{"vendor.on": true}"#),
        yes("vendor.port > 443", r#"{"vendor.port": 8080}"#),
        no("vendor.port: 8080", "{}"),
    ],
};
