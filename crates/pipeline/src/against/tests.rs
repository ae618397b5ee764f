use std::io::Cursor;

use maxspan_rules::{LoadedRules, TomlOptions, parse_toml};

use super::*;
use crate::input::InputOptions;
use crate::rule_base::RuleBaseOptions;

const RULE: &str = "[rule]\nname = \"R\"\ndescription = \"D\"\nrule_id = \"r\"\nseverity = \"low\"\nrisk_score = 21\n\
                    type = \"eql\"\nlanguage = \"eql\"\nindex = [\"logs-*\"]\nquery = '''\nQUERY'''\n";

/// What is said about a query over events, two hours of them, one of the given documents after the other.
fn check(query: &str, documents: &[&str], index: &str, expected: &[&str]) -> Against {
    let source = Arc::new(Source::new("r.toml", RULE.replace("QUERY", query)));
    let file = parse_toml(&source, &TomlOptions::default());
    let loaded = LoadedRules { rules: file.rules, ..LoadedRules::default() };
    let rules = RuleBase::new(loaded, &RuleBaseOptions::default());
    let mut text = String::new();
    for minute in 0..121 {
        let rest = documents[minute % documents.len()];
        text +=
            &format!("{{\"@timestamp\":\"2026-01-01T{:02}:{:02}:00Z\",{rest}}}\n", minute / 60, minute % 60);
    }
    let mut reader = Reader::of_bytes("events", Cursor::new(text), InputOptions::default());
    let hunt = HuntOptions { default_index: index.to_owned(), ..HuntOptions::default() };
    let (report, messages) = against(&rules, &mut reader, &AgainstOptions { hunt, alerts_per_day_max: 10.0 });
    let said: Vec<String> = messages
        .iter()
        .map(|(source, one)| format!("{} {} {}", one.code, one.span.slice(&source.text), one.message))
        .collect();
    assert_eq!(said.len(), expected.len(), "{query}: {said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(expected.split(" … ").all(|part| said.contains(part)), "{said} is not {expected}");
    }
    report
}

const PROCESS: &str = r#""event":{"category":"process"},"process":{"name":"Cmd.exe"}"#;
const NETWORK: &str = r#""event":{"category":["network"]},"source":{"port":1}"#;

#[test]
fn fields_and_values_are_compared() {
    let query = |condition: &str| format!("process where {condition}");
    let both = [PROCESS, PROCESS, PROCESS, PROCESS, PROCESS, NETWORK];
    check(&query("process.name == \"x\""), &both, "logs-a", &[]);
    let both_cases = "process.name == \"cmd.exe\" or process.name == \"Cmd.exe\"";
    check(&query(both_cases), &both, "logs-a", &["MX1671 \"cmd.exe\" … `Cmd.exe`", "MX1673 … hours"]);
    check(&query("process.name == \"cmd.exe\""), &both, "logs-a", &["MX1671 \"cmd.exe\" … `Cmd.exe`"]);
    check(
        &query("process.name : \"cmd.exe\" and user.name == \"a\""),
        &both,
        "logs-a",
        &["MX1670 user.name"],
    );
    check(&query("process.pid == 1 and ?user.name == \"a\""), &[PROCESS], "logs-a", &["MX1670 process.pid"]);
    // Only events of the rule's category count.
    check(&query("source.port == 1"), &both, "logs-a", &["MX1670 source.port"]);
    let rare = [PROCESS, PROCESS, PROCESS, PROCESS, PROCESS, PROCESS, &PROCESS.replace("name", "title")];
    check(
        &query("process.pid != 1 or not process.title : \"x*\""),
        &rare,
        "logs-a",
        &["MX1670 process.pid", "MX1674 process.title … 17 of 121", "MX1673 … 121 alerts"],
    );
}

#[test]
fn indices_and_volume_are_compared() {
    check("any where true", &[PROCESS], "winlogbeat-8", &["MX1672 [\"logs-*\"] … logs-*"]);
    let report = check("any where true", &[PROCESS], "logs-a", &["MX1673 … a day"]);
    assert_eq!((report.events, report.volume[0].alerts), (121, 121));
    assert!((report.days - 2.0 / 24.0).abs() < 1e-9);
}
