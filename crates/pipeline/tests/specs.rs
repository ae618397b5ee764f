//! Specs: what headings inherit, what is compared, what `--update` writes; nothing panics on any text.

use std::sync::LazyLock;

use maxspan_event::Schema;
use maxspan_pipeline::spec::{
    CaseOutcome, MemoryFiles, Runner, RunnerOptions, SpecFile, Verdict, edited, parse,
};
use proptest::prelude::*;

const SH: &str = r#"{"@timestamp": "2026-03-01T10:00:00Z", "event": {"category": "process"}, "process": {"name": "sh"}, "host": {"name": "h1"}}"#;
const CURL: &str = r#"{"@timestamp": "2026-03-01T10:00:01Z", "event": {"category": "process"}, "process": {"name": "curl"}, "host": {"name": "h1"}}"#;
const RULE: &str = "```eql rule\nprocess where process.name == \"sh\"\n```\n";
const OTHER_RULE: &str = "```kuery rule name=\"Curl\" id=c\nprocess.name: curl\n```\n";
const SEQUENCE: &str = "```eql rule\nsequence by host.name [process where process.name == \"sh\"] [process where process.name == \"curl\"]\n```\n";

/// Parsed once: the properties run thousands of cases.
static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::built_in);

fn runs(spec: &SpecFile) -> Vec<CaseOutcome> {
    let mut files = MemoryFiles::default();
    files.files.insert(
        "rules/curl.json".into(),
        r#"{"rule_id":"c","name":"Curl","description":"D","severity":"low","risk_score":1,"type":"query",
            "language":"kuery","query":"process.name: curl","index":["*"]}"#
            .to_owned(),
    );
    files.files.insert("events/sh.ndjson".into(), format!("{SH}\n{SH}\n"));
    let runner = Runner::new(&files, RunnerOptions { schema: SCHEMA.clone(), fallback_rules: None });
    spec.cases.iter().map(|case| runner.run(spec, case)).collect()
}

/// The verdicts of the cases, and the codes of what is wrong with the file.
fn summary(text: &str) -> String {
    let spec = parse("specs/a.md", text);
    let verdict = |outcome: &CaseOutcome| match &outcome.verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed => {
            outcome.differences.iter().map(|one| one.what.clone()).collect::<Vec<_>>().join("; ")
        }
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
        Verdict::Broken(reason) => format!("broken: {reason}"),
    };
    let codes = spec.diagnostics.iter().map(|one| format!("{} {}", one.code, one.message));
    codes.chain(runs(&spec).iter().map(verdict)).collect::<Vec<_>>().join(" | ")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(summary(text), expected, "{text}");
}

fn events(info: &str, events: &[&str]) -> String {
    format!("```ndjson {info}\n{}\n```\n", events.join("\n"))
}

#[test]
fn set_up_is_inherited_by_deeper_headings() {
    let one = events("events alerts=1", &[SH]);
    let none = events("silent", &[SH]);
    check(&format!("{RULE}\n# T\n{one}\n## U\n{one}"), "passed | passed");
    check(&format!("# T\n{RULE}\n{one}\n## U\n{one}"), "passed | passed");
    check(&format!("# T\n## U\n{RULE}\n### A\n{one}\n### B\n{one}\n"), "passed | passed");
    check(
        &format!("# T\n## U\n{RULE}\n### A\n{one}\n## V\n{one}\n"),
        "passed | broken: the case has no rule",
    );
    // A nearer rule replaces; that of a case is its own.
    check(&format!("# T\n{RULE}\n## U\n{OTHER_RULE}\n### A\n{none}"), "passed");
    check(&format!("# T\n{RULE}\n## U\n{OTHER_RULE}\n{none}\n### A\n{one}"), "passed | passed");
    check(&format!("# T\n{RULE}{OTHER_RULE}\n## U\n{}", events("events alerts=2", &[SH, CURL])), "passed");
}

#[test]
fn linked_files_are_used() {
    let text = "# T\n\nRule: [r](../rules/curl.json)\n\n## A\n\n";
    check(&(text.to_owned() + &events("events alerts=1", &[SH, CURL])), "passed");
    check(
        &(text.replace("curl.json", "gone.json") + &events("silent", &[SH])),
        "broken: rules rules/gone.json: there is no such file",
    );
    let linked = "# T\n\nEvents: [e](../events/sh.ndjson)\n\n```text alerts\n2\n```\n";
    check(&(RULE.to_owned() + linked), "passed");
    check(&(RULE.to_owned() + &linked.replace("\n2\n", "\n3\n")), "3 alerts expected, 2 came");
    check("Rule: ../rules/curl.json\n", "MX1803 a path that is no link");
    check(
        "Rule: [x](https://example.net/x.toml)\n",
        "MX1803 `https://example.net/x.toml` is no path of a file",
    );
}

#[test]
fn alerts_are_compared_by_what_is_named() {
    let with = |alerts: &str| {
        let events = events("events", &[SH, CURL]);
        format!("{SEQUENCE}\n# T\n\n{events}\n```ndjson alerts\n{alerts}\n```\n")
    };
    for good in [
        "{}",
        r#"{"rule": "a", "keys": {"host.name": "h1"}, "events": [1, 2]}"#,
        r#"{"host.name": "h1", "process.name": null}"#,
        r#"{"kibana.alert.rule.name": "a", "kibana.alert.risk_score": 21.0, "building_block": false}"#,
        "{\"building_block\": true}\n{\"building_block\": true, \"process.name\": \"curl\"}\n{\"rule\": \"a\"}",
    ] {
        check(&with(good), "passed");
    }
    check(&with(""), "no alert expected, 1 came");
    for bad in [
        r#"{"rule": "b"}"#,
        r#"{"keys": {"host.name": "h2"}}"#,
        r#"{"keys": {"user.name": "h1"}}"#,
        r#"{"events": [2, 1]}"#,
        r#"{"host.name": "h2"}"#,
    ] {
        check(&with(bad), "the alerts differ");
    }
    check(&with("{"), "MX1802 this is no JSON: EOF while parsing an object | broken: the spec has errors");
}

#[test]
fn counts_go_by_the_block_of_the_last_event() {
    let text = |first: &str, second: &str| {
        format!("{SEQUENCE}\n# T\n{}\n{}", events(first, &[SH]), events(second, &[CURL]))
    };
    check(&text("silent", "events alerts=1"), "passed");
    check(&text("events alerts=1", "events"), "1 alert expected of these events, 0 came");
}

#[test]
fn options_and_exceptions_are_applied() {
    let item = r#"{"list_id":"l","item_id":"i","type":"simple","name":"I","entries":[{"field":"host.name","type":"match","operator":"included","value":"h1"}]}"#;
    let list = r#"{"list_id":"l","type":"detection","name":"L","rules":["t"]}"#;
    check(
        &format!("# T\n{RULE}\n```ndjson exceptions\n{list}\n{item}\n```\n{}", events("silent", &[SH])),
        "passed",
    );
    let with = |options: &str, info: &str| {
        format!(
            "# T\n{RULE}\n```toml options\n{options}\n```\n{}",
            events(info, &[SH, &SH.replace("h1", "h2")])
        )
    };
    check(&with("max_signals = 1", "events alerts=1"), "passed");
    check(&with("to = 2025-01-01", "silent"), "passed");
    check(&with("any_order = true\nno_cap = true", "events alerts=2"), "passed");
    check(
        &with("max_signal = 1", "silent"),
        "MX1805 there is no option `max_signal` | broken: the spec has errors",
    );
    check(&with("now = 'soon'", "silent"), "MX1805 `soon` is no time | broken: the spec has errors");
    check(
        &with("= 1", "silent").replace("```toml options\n= 1\n", "```toml options\nindex = 1\n"),
        "MX1805 `index` is a text | broken: the spec has errors",
    );
    let mapping = "```json mapping\n{\"properties\": {\"host\": {\"properties\": {\"name\": {\"type\": \"long\"}}}}}\n```\n";
    check(&format!("# T\n{RULE}\n{mapping}{}", events("events alerts=1", &[SH])), "passed");
    check(
        &format!("# T\n{RULE}\n```json mapping\n[]\n```\n{}", events("silent", &[SH])),
        "broken: specs/a.md:7: the mapping cannot be used: no `properties` found; expected the answer of `GET index/_mapping`, or a part of it",
    );
}

#[test]
fn diagnostics_are_compared_with_places_in_the_block() {
    let with = |expected: &str| {
        format!(
            "# T\n\n```eql rule\nprocess where\n  proces.name == 1\n```\n\n```text diagnostics\n{expected}\n```\n"
        )
    };
    check(&with("MX1201 2:3 proces.name"), "passed");
    check(&with("MX1201"), "passed");
    check(&with("MX1201 proces"), "passed");
    check(&with("MX1201 1:3"), "what is said about the rules differs");
    check(&with("MX1201\nMX1201"), "what is said about the rules differs");
    check(&with(""), "what is said about the rules differs");
    check(
        &with("1210"),
        "MX1802 the line does not begin with a code like MX1102 | broken: the spec has errors",
    );
    check(
        "# T\n\n```eql rule\nprocess\n```\n\n```ndjson silent\n{}\n```\n",
        "the rules of the case have errors",
    );
}

#[test]
fn what_is_no_spec_or_a_broken_one_is_told_apart() {
    check("", "");
    check("# T\n\n```json\n{}\n```\n", "");
    check(&events("evnts", &[SH]), "MX1801 there are no blocks `ndjson evnts`");
    check("```ndjson events\n{}", "MX1801 the block is not closed: it would swallow the rest of the file");
    check(
        &format!("{RULE}{}", events("events late=x", &[SH])),
        "MX1801 `x` is no value of `late`: it is a span of time like 90s or 1h30m, of less than 292 years | broken: the spec has errors",
    );
    check(
        &format!("{RULE}{}", events("events lat=1s", &[SH])),
        "MX1801 there is no attribute `lat` here | broken: the spec has errors",
    );
    check(
        &format!("{RULE}{}", events("events repeat=0", &[SH])),
        "MX1801 `0` is no value of `repeat`: it is a number from 1 to 100000 | broken: the spec has errors",
    );
    check(
        "# T\n```text alerts\n1\n```\n",
        "MX1804 something is expected here, but there are no events under this heading",
    );
    check(
        &format!("{RULE}# T\n{}", events("events", &[SH])),
        "nothing is expected of these events; `--update` writes down what comes",
    );
    check(&format!("{RULE}# T\n{}", events("silent", &["{\"a\": "])), "events of the case cannot be read");
    let explain =
        |lines: &str| format!("{RULE}# T\n{}```text explain\n{lines}\n```\n", events("silent", &[CURL]));
    check(&explain("none of 1 event\nprocess.name = \"curl\""), "passed");
    check(
        &explain("process.name = \"curl\"\nnone of 1 event"),
        "the explanation has no line `none of 1 event` (after those before it)",
    );
    let stats = "```json stats\n{\"events_failed\": 1, \"alerts_capped_by_rule\": {\"x\": 0}}\n```\n";
    check(&format!("{RULE}# T\n{}{stats}", events("silent", &["{\"a\": "])), "passed");
    let stats = "```json stats\n{\"event\": 1}\n```\n";
    let text = format!("{RULE}# T\n{}{stats}", events("silent", &[CURL]));
    check(&text, "MX1802 a hunt has no stats `event` | broken: the spec has errors");
    let repeated = events("events repeat=100000", &["{}", "{}", "{}"]);
    check(
        &format!("{RULE}# T\n{repeated}"),
        "broken: the case has more than 200000 events, or 268435456 bytes of them",
    );
}

#[test]
fn many_messages_and_many_alerts_are_bounded() {
    let spec = parse("a.md", &events("evnts", &[SH]).repeat(5_000));
    let last = spec.diagnostics.last().unwrap();
    assert_eq!((spec.diagnostics.len(), last.message.as_str()), (201, "and 4800 more messages"));
    let repeated = events("events repeat=5000 every=1s", &[SH]);
    let text = format!("{RULE}# T\n```toml options\nno_cap = true\n```\n{repeated}\n```ndjson alerts\n```\n");
    let outcome = runs(&parse("a.md", &text)).remove(0);
    let notes = &outcome.differences[0].notes;
    assert_eq!((notes.len(), notes[100].as_str()), (101, "… and 4900 more"));
    let lines = "{\"rule\": \"x\"}\n".repeat(50_000);
    let text = format!("{RULE}# T\n{repeated}\n```ndjson alerts\n{lines}```\n");
    assert_eq!(runs(&parse("a.md", &text))[0].verdict, Verdict::Failed);
}

/// Applies what `--update` would; asserts that then all cases that had edits pass, and that nothing is left to edit.
fn check_update(text: &str) {
    let spec = parse("specs/a.md", text);
    let edits: Vec<_> = runs(&spec).into_iter().flat_map(|outcome| outcome.edits).collect();
    let updated = edited(text, &edits);
    let again = parse("specs/a.md", &updated);
    assert_eq!(again.cases.len(), spec.cases.len(), "{text}\n--->\n{updated}");
    for (outcome, case) in runs(&again).iter().zip(&again.cases) {
        assert_eq!(outcome.edits, [], "{text}\n--->\n{updated}");
        if !case.is_broken {
            assert_eq!(
                outcome.verdict,
                Verdict::Passed,
                "{:?}\n{text}\n--->\n{updated}",
                outcome.differences
            );
        }
    }
}

/// Texts of cases that differ in all that `--update` looks at.
fn case_text() -> impl Strategy<Value = String> {
    let rule = prop::sample::select(vec![
        RULE,
        OTHER_RULE,
        SEQUENCE,
        "",
        "```eql rule\nprocess where proces.name == 1\n```\n",
    ]);
    let event = prop::sample::select(vec![SH, CURL]);
    let info = prop::sample::select(vec![
        "events",
        "silent",
        "events alerts=1",
        "events shift=1h alerts=3",
        "events repeat=2 every=1s",
    ]);
    let block = (info, prop::collection::vec(event, 0..4)).prop_map(|(info, list)| events(info, &list));
    let line = prop::sample::select(vec![
        r#"{"rule": "T", "reason": ""}"#,
        r#"{"building_block": true}"#,
        r#"{"rule":"c","events":[1]}"#,
        r#"{"keys": {"host.name": "h9"}, "host.name": "h1"}"#,
        r#"{"building_block": false, "process.name": "sh"}"#,
        "",
    ]);
    let alerts = prop::collection::vec(line, 0..4)
        .prop_map(|lines| format!("```ndjson alerts\n{}\n```\n", lines.join("\n")));
    let other = prop::sample::select(vec![
        "",
        "```text alerts\n7\n```\n",
        "```json stats\n{\"events\": 9, \"alerts_by_rule\": {\"t\": 4}}\n```\n",
        "```json stats\n{\n  \"events\": 9\n}\n```\n",
        "```text diagnostics\nMX1102 1:1\nMX1201\n```\n",
        "```text diagnostics\n```\n",
        "some text",
    ]);
    (rule, prop::collection::vec(block, 0..3), prop::option::of(alerts), other, any::<[bool; 2]>()).prop_map(
        |(rule, blocks, alerts, other, [indented, crlf])| {
            let body = [rule, &blocks.join("\n"), &alerts.unwrap_or_default(), other].join("\n");
            let body = if indented {
                "- item\n\n".to_owned()
                    + &body
                        .lines()
                        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") })
                        .collect::<String>()
            } else {
                body
            };
            let text = format!("## T\n\n{body}\n");
            if crlf { text.replace('\n', "\r\n") } else { text }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn after_an_update_all_is_as_expected(cases in prop::collection::vec(case_text(), 1..3)) {
        check_update(&format!("{RULE}\n{}", cases.join("\n")));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}", case in case_text(), cut in 0_usize..2_000, noise in "[`~#>\\-\\n \\[\\]():={}\"a-e]{0,60}") {
        runs(&parse("specs/a.md", &text));
        let cut = (0..=cut.min(case.len())).rev().find(|at| case.is_char_boundary(*at)).unwrap_or(0);
        let mixed = format!("{RULE}{}{noise}{}", &case[..cut], &case[cut..]);
        let spec = parse("specs/a.md", &mixed);
        for diagnostic in &spec.diagnostics {
            prop_assert!(mixed.get(diagnostic.span.start..diagnostic.span.end).is_some());
        }
        let edits: Vec<_> = runs(&spec).into_iter().flat_map(|outcome| outcome.edits).collect();
        edited(&mixed, &edits);
    }
}
