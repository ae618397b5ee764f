//! `maxspan rules check` with lints, as a user runs it.

mod support;

use serde_json::{Value, json};
use support::{Place, catch_all_rule, defaults_rule, rules_folder};

const ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b01";

/// A folder with a rule whose query has a case trap and a needless condition.
fn place() -> Place {
    let place = Place::new();
    let query = "event.kind: Alert and process.name: a and not process.name: b";
    place.write("rules/trap.toml", catch_all_rule(ID, "Trap, of cases", query));
    place
}

#[test]
fn our_own_rules_are_silent() {
    let folder = rules_folder();
    let run = Place::new().run(&["rules", "check", "--strict", &folder.display().to_string()]).code(0);
    assert!(run.out.lines().count() == 1 && !run.out.contains("note"), "{}", run.out);
}

#[test]
fn lints_are_asked_for() {
    let place = place();
    place.run(&["rules", "check", "rules"]).code(0).prints("1 rule: 1 ok, 0 failed\n");
    let run = place.run(&["rules", "check", "--lint", "rules"]).code(0);
    let run = run.prints("warning[MX1604]").prints("note[MX1610]").prints("      1  MX1604 case-trap\n");
    run.prints("1 rule: 1 ok, 0 failed, 1 warning, 1 note\n");
    place.run(&["rules", "check", "--strict", "rules"]).code(1).prints("1 rule: 0 ok, 1 failed");
    place.run(&["rules", "check", "--strict", "--allow", "case-trap", "rules"]).code(0).prints("1 note\n");
}

#[test]
fn messages_are_switched_off() {
    let place = place();
    let check = |more: &[&str], expected: &[&str]| {
        let arguments = [&["rules", "check", "--strict", "--format", "json"], more, &["rules"]].concat();
        let report = place.run(&arguments).json();
        let codes: Vec<&str> = report["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, expected, "{more:?}");
    };
    check(&[], &["MX1604", "MX1610"]);
    check(&["--allow", "MX1604"], &["MX1610"]);
    check(&["--allow", &format!("case-trap={ID}"), "--allow", "MX1610=trap, of cases"], &[]);
    check(&["--allow", "MX1604=other"], &["MX1660", "MX1604", "MX1610"]);
    place.write("allow.txt", "# ours\nMX1604  # the shipper writes it so\n");
    check(&["--allow-file", "allow.txt"], &["MX1610"]);
    let trap = place.read("rules/trap.toml");
    place.write("rules/trap.toml", trap.replace("[metadata]", "[metadata]\nmaxspan.allow = [\"case-trap\"]"));
    check(&[], &["MX1610"]);
    let refused = |entry: &str| place.run(&["rules", "check", "--allow", entry, "rules"]).code(2);
    refused("MX1101").says("cannot be switched off");
    refused("case-trp").says("did you mean `case-trap`?");
    place.run(&["rules", "check", "--allow-file", "gone", "rules"]).code(2).says("gone");
}

#[test]
fn exports_switch_off_for_themselves() {
    let place = Place::new();
    let rule = |meta: Value| {
        json!({
            "rule_id": ID, "name": "N", "description": "D", "severity": "low", "risk_score": 21, "type": "query",
            "language": "kuery", "query": "event.kind: Alert", "meta": meta,
        })
    };
    place.write("rules/a.ndjson", rule(json!({})).to_string() + "\n");
    place.run(&["rules", "check", "--strict", "rules"]).code(1).prints("MX1604");
    place.write("rules/a.ndjson", rule(json!({"maxspan": {"allow": ["case-trap"]}})).to_string() + "\n");
    place.run(&["rules", "check", "--strict", "rules"]).code(0);
    place.run(&["rules", "check", "--strict", "--format", "sarif", "rules"]).code(0);
}

#[test]
fn json_has_all_of_a_message() {
    let report = place().run(&["rules", "check", "--lint", "--format", "json", "rules"]).code(0).json();
    let one = &report["diagnostics"][0];
    let expected = json!({
        "code": "MX1604", "name": "case-trap", "severity": "warning", "rule_id": ID, "file": "rules/trap.toml",
        "line": 13, "column": 13, "end_line": 13, "end_column": 18, "page": "docs/diagnostics/MX1604.md",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&one[field], value, "{field}");
    }
    assert_eq!(one["span"]["end"].as_u64().unwrap() - one["span"]["start"].as_u64().unwrap(), 5);
    assert_eq!(report["by_code"], json!({"MX1604": 1, "MX1610": 1}));
}

#[test]
fn other_programs_read_the_outcome() {
    let place = place();
    let run = place.run(&["rules", "check", "--strict", "--format", "github", "rules"]).code(1);
    let run = run.prints(
        "::warning file=rules/trap.toml,line=13,endLine=13,col=13,endColumn=18,title=MX1604 case-trap::`event.kind` \
         holds `alert`, and `:` counts case%0Ahelp: write `alert`\n",
    );
    run.prints("::notice file=");
    let log = place.run(&["rules", "check", "--strict", "--format", "sarif", "rules"]).code(1).json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "MX1604");
    let result = &run["results"][0];
    assert_eq!([&result["ruleId"], &result["level"]], ["MX1604", "warning"]);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "rules/trap.toml");
    assert_eq!(place["region"]["startColumn"], 13);
}

#[test]
fn codes_are_explained() {
    let place = Place::new();
    place.run(&["rules", "check", "--explain", "MX1604"]).code(0).prints("# MX1604 case-trap\n");
    place.run(&["rules", "check", "--explain", "case-trap"]).code(0).prints("# MX1604 case-trap\n");
    place.run(&["rules", "check", "--explain", "case-trp"]).code(2).says("did you mean case-trap?");
    place.run(&["rules", "check"]).code(2);
}

#[test]
fn rules_are_compared_with_events() {
    let place = Place::new();
    place.write("rules/defaults.toml", defaults_rule());
    let events: String = (0..120)
        .map(|minute| {
            let time = format!("2026-03-10T{:02}:{:02}:00.000Z", 10 + minute / 60, minute % 60);
            format!("{}\n", support::defaults_event(&time, "mac-1"))
        })
        .collect();
    place.write("events.ndjson", events);
    let check = |more: &[&str]| {
        place.run(&[&["rules", "check", "--against", "events.ndjson"], more, &["rules"]].concat())
    };
    let run = check(&[]).code(0).prints("Against 120 events from 2026-03-10T10:00:00.000Z to ");
    let run = run.prints("warning[MX1673]: 120 alerts in 2.0 hours of data");
    run.prints(" a day  SoftwareUpdate Preferences Modification with Defaults\n");
    check(&["--strict"]).code(1);
    let report = check(&["--max-volume", "1e9", "--format", "json"]).code(0).json();
    assert_eq!(report["against"]["events"], 120);
    assert_eq!(report["by_code"], json!({}));
    place.write("none.ndjson", "nonsense\n");
    place.run(&["rules", "check", "--against", "none.ndjson", "rules"]).code(3).says("none.ndjson:1");
}
