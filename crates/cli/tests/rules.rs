//! `maxspan rules list`, `show`, `coverage` and `convert` as a user runs them.

mod support;

use serde_json::json;
use support::{DEFAULTS_ID, DEFAULTS_NAME, Place, catch_all_rule, defaults_rule, ndjson};

const CATCH_ALL_ID: &str = "5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7b01";

/// A folder with two rules in TOML, one in JSON, and a broken one.
fn place() -> Place {
    let place = Place::new();
    let exported = json!({
        "id": "ffb3cd8a-3c6e-4c52-8d8c-6c1a1f8f7b09", "rule_id": "exported", "name": "Exported, \"quoted\"",
        "description": "D", "severity": "critical", "risk_score": 99, "type": "query", "language": "kuery",
        "query": "user.name: root", "index": ["winlogbeat-*"], "enabled": false, "tags": ["OS: Windows"],
        "from": "now-6m", "created_by": "ada", "unknown_field": {"kept": null},
    });
    place
        .write("rules/defaults.toml", defaults_rule())
        .write("rules/all.toml", catch_all_rule(CATCH_ALL_ID, "All Events", "event.kind: event"))
        .write("rules/exported.ndjson", exported.to_string() + "\n");
    place
}

// ---- list

#[test]
fn rules_are_listed_and_chosen() {
    let place = place();
    let check = |flags: &[&str], expected: &[&str]| {
        let run = place.run(&[&["rules", "list", "rules", "--format", "ids"], flags].concat()).code(0);
        assert_eq!(run.out.lines().collect::<Vec<_>>(), expected, "{flags:?}: {}", run.err);
    };
    check(&[], &[CATCH_ALL_ID, "exported", DEFAULTS_ID]);
    check(&["--sort", "risk", "--reverse"], &[CATCH_ALL_ID, DEFAULTS_ID, "exported"]);
    check(&["--severity", "low", "--severity", "critical"], &[CATCH_ALL_ID, "exported"]);
    check(&["--min-severity", "high"], &["exported"]);
    check(&["--risk", "99"], &["exported"]);
    check(&["--os", "windows"], &["exported"]);
    check(&["--disabled"], &["exported"]);
    check(&["--enabled", "--language", "kql"], &[CATCH_ALL_ID, DEFAULTS_ID]);
    check(&["--field", "event.kind"], &[CATCH_ALL_ID]);
    check(&["--index", "winlogbeat-8.1"], &["exported"]);
    check(&["--index", "logs-*", "--text", "SOFTWAREUPDATE"], &[DEFAULTS_ID]);
    check(&["--rule", DEFAULTS_NAME], &[DEFAULTS_ID]);
    check(&["--maturity", "development"], &[]);
}

#[test]
fn lists_are_written_for_people_and_programs() {
    let place = place();
    let list = |flags: &[&str]| place.run(&[&["rules", "list", "rules"], flags].concat()).code(0);
    let table = list(&[]);
    assert_eq!(table.out.lines().count(), 4, "{}", table.out);
    assert!(table.out.starts_with("SEVERITY  RISK  TYPE"), "{}", table.out);
    list(&["--columns", "risk,id"]).prints("RISK  ID\n  21  5b2b3cd8");
    list(&["--format", "csv", "--columns", "id,name,index"])
        .prints("exported,\"Exported, \"\"quoted\"\"\",winlogbeat-*\r\n");
    let rules = list(&["--format", "json"]).json();
    assert_eq!(rules[1]["rule_id"], "exported");
    assert_eq!((&rules[1]["systems"], &rules[1]["enabled"]), (&json!(["windows"]), &json!(false)));
    assert_eq!(list(&["--format", "ndjson"]).lines(), *rules.as_array().unwrap());
}

#[test]
fn what_is_not_listed_is_said() {
    let place = place();
    place.write("rules/broken.toml", "[rule]\nname = 1\n");
    place.run(&["rules", "list", "rules"]).code(0).says("1 rule or file could not be read");
    place.run(&["rules", "list", "rules", "--os", "ios"]).code(0).says("none of 3 rules fits the filters");
    place.write("none/readme.json", "[]");
    place.run(&["rules", "list", "none"]).code(2).says("there are no rules");
    place.run(&["rules", "list", "gone"]).code(2).says("rules gone: ");
    place.run(&["rules", "list", "rules", "--severity", "urgent"]).code(2);
}

// ---- show

#[test]
fn a_rule_is_shown_as_a_page() {
    let place = place();
    let run = place.run(&["rules", "show", "rules/defaults.toml"]).code(0);
    let at = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("no {text:?} in {}", run.out));
    let order = [
        DEFAULTS_NAME,
        "Rule type: query",
        "Rule indices:",
        "Severity: medium",
        "Runs every: 5m",
        "Searches indices from: now-",
        "Maximum alerts per execution: 100",
        "Version: 1",
        "Rule license: Apache-2.0",
        "\nRule query\n",
        "\nFramework: MITRE ATT&CK\n",
        "Tactic TA",
        "  Technique T",
    ];
    let places: Vec<usize> = order.iter().map(|text| at(text)).collect();
    assert!(places.is_sorted(), "{places:?}: {}", run.out);
    assert!(run.out.lines().all(|line| !line.contains('\u{1b}')));
}

#[test]
fn a_page_is_markdown_or_json_too() {
    let place = place();
    let show = |format: &str| {
        place.run(&["rules", "show", "Exported, \"quoted\"", "--rules", "rules", "--format", format]).code(0)
    };
    let markdown = show("markdown");
    assert!(
        markdown.out.starts_with("# Exported, \"quoted\"\n\nD\n\n**Rule type**: `query`\n"),
        "{}",
        markdown.out
    );
    markdown.prints("## Rule query\n\n```kuery\nuser.name: root\n```\n").prints("**Enabled**: no\n");
    let rule = show("json").json();
    assert_eq!((&rule["rule_id"], &rule["created_by"]), (&json!("exported"), &json!("ada")));
}

#[test]
fn a_rule_to_show_must_be_found() {
    let place = place();
    let show = |rule: &str, more: &[&str]| place.run(&[&["rules", "show", rule], more].concat());
    show(CATCH_ALL_ID, &["--rules", "rules"]).code(0).prints("All Events\n");
    show("all even", &["--rules", "rules"]).code(0).prints("All Events\n");
    show("e", &["--rules", "rules"]).code(2).says("fits 3 rules").says(DEFAULTS_ID);
    show("All Event", &[]).code(2).says("--rules PATH");
    show("Al Events", &["--rules", "rules"]).code(2).says("did you mean `All Events`?");
    show("rules", &[]).code(2).says("rules holds 3 rules");
    place.write("broken.toml", "[metadata]\n[rule]\nname = 'X'\n");
    show("broken.toml", &[]).code(1).says("error[MX14").says("cannot be read");
}

// ---- coverage

#[test]
fn coverage_counts_rules_by_technique() {
    let place = place();
    let run = place.run(&["rules", "coverage", "rules"]).code(0);
    let run = run.prints("TA0005").prints("T1562.001");
    run.prints("3 rules: 1 mapped to MITRE ATT&CK").prints("2 without a mapping");
    let run = place.run(&["rules", "coverage", "rules", "--verbose", "--format", "csv"]).code(0);
    run.prints("framework,tactic_id,tactic,technique_id,technique,rules,fired,alerts,names\r\n")
        .prints(DEFAULTS_NAME);
    let run = place.run(&["rules", "coverage", "rules", "--format", "markdown"]).code(0);
    run.prints("## TA0005 Defense Evasion").prints("| T1562.001 |");
    let found = place.run(&["rules", "coverage", "rules", "--format", "json"]).code(0).json();
    assert_eq!((&found["rules"], found["unmapped"].as_array().unwrap().len()), (&json!(3), 2));
}

#[test]
fn coverage_is_a_layer_with_alerts_too() {
    let place = place();
    let alert = |block: Option<u32>| json!({"kibana.alert.rule.rule_id": DEFAULTS_ID, "kibana.alert.uuid": "1", "kibana.alert.group.index": block});
    place.write("alerts.ndjson", ndjson(&[alert(None), alert(None), alert(Some(0))]));
    let arguments = ["rules", "coverage", "rules", "--alerts", "alerts.ndjson"];
    place.run(&arguments).code(0).prints("FIRED  ALERTS");
    let layer = [&arguments[..], &["--format", "navigator", "--output", "layer.json"]].concat();
    place.run(&layer).code(0);
    let layer: serde_json::Value = serde_json::from_str(&place.read("layer.json")).unwrap();
    assert_eq!((&layer["versions"]["layer"], &layer["domain"]), (&json!("4.5"), &json!("enterprise-attack")));
    let technique = &layer["techniques"][0];
    assert_eq!((&technique["score"], &technique["comment"]), (&json!(1), &json!(DEFAULTS_NAME)));
    assert_eq!(technique["metadata"][2], json!({"name": "alerts", "value": "2"}));
    let atlas = ["rules", "coverage", "rules", "--format", "navigator", "--framework", "atlas"];
    place.run(&atlas).code(2).says("no rule is mapped to MITRE ATLAS");
    place.run(&["rules", "coverage", "rules", "--alerts", "gone.ndjson"]).code(3).says("gone.ndjson");
}

// ---- convert

#[test]
fn rules_go_from_toml_to_ndjson_and_back() {
    let place = place();
    place.run(&["rules", "convert", "--to", "ndjson", "rules", "--output", "all.ndjson"]).code(0);
    let lines: Vec<serde_json::Value> =
        place.read("all.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = lines.iter().map(|line| line["rule_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [CATCH_ALL_ID, DEFAULTS_ID, "exported"]);
    assert_eq!(
        (&lines[0]["id"], &lines[0]["meta"]["maxspan"]["toml"]["keys"][0]),
        (&json!(CATCH_ALL_ID), &json!("name"))
    );

    place.run(&["rules", "convert", "--to", "toml", "all.ndjson", "--output", "again"]).code(0);
    let tree = |text: &str| format!("{:?}", text.parse::<toml::Table>().unwrap());
    assert_eq!(tree(&place.read("again/all_events.toml")), tree(&place.read("rules/all.toml")));
    let file = "again/softwareupdate_preferences_modification_with_defaults.toml";
    assert_eq!(tree(&place.read(file)), tree(&defaults_rule()));

    let run = place.run(&["rules", "convert", "--to", "json", "again/exported_quoted.toml"]).code(0);
    let exported: serde_json::Value = serde_json::from_str(&place.read("rules/exported.ndjson")).unwrap();
    assert_eq!(run.json(), json!([exported]));
    let listed = |path: &str| place.run(&["rules", "list", path, "--format", "ids"]).code(0).out;
    assert_eq!((listed("again"), listed("all.ndjson")), (listed("rules"), listed("rules")));
}

#[test]
fn what_is_no_rule_goes_along() {
    let place = place();
    let list = json!({"list_id": "l", "name": "L", "description": "D", "type": "detection", "namespace_type": "single"});
    let details = json!({"exported_count": 2, "exported_rules_count": 1});
    let rule: serde_json::Value = serde_json::from_str(&place.read("rules/exported.ndjson")).unwrap();
    place.write("export.ndjson", ndjson(&[rule, list.clone(), details.clone()]));
    let run = place.run(&["rules", "convert", "--to", "ndjson", "export.ndjson"]).code(0);
    assert_eq!(run.out, place.read("export.ndjson"));
    let run = place.run(&["rules", "convert", "--to", "toml", "export.ndjson"]).code(0);
    run.says("2 documents that are no rules left out").prints("[maxspan.installed]\n");
    place
        .run(&["rules", "convert", "--to", "toml", "export.ndjson", "--output", "out"])
        .code(0)
        .says("out/rest.ndjson");
    assert_eq!(place.read("out/rest.ndjson"), ndjson(&[list, details]));

    place.write(
        "lists.toml",
        "[[exceptions]]\n[exceptions.container]\nlist_id = 'own'\nnamespace_type = 'single'\n\
         [[exceptions.items]]\nitem_id = 'i'\nentries = [{field = 'a', type = 'exists', operator = 'included'}]\n",
    );
    let lines = place.run(&["rules", "convert", "--to", "ndjson", "lists.toml"]).code(0).lines();
    assert_eq!(
        (&lines[0]["list_id"], &lines[1]["list_id"], &lines[1]["item_id"]),
        (&json!("own"), &json!("own"), &json!("i"))
    );
}

#[test]
fn conversion_overwrites_nothing_and_names_what_fails() {
    let place = place();
    let convert = |more: &[&str]| place.run(&[&["rules", "convert", "--to"], more].concat());
    convert(&["toml", "rules"]).code(2).says("3 rules need a folder");
    convert(&["toml", "rules", "--output", "out"]).code(0);
    convert(&["toml", "rules", "--output", "out"]).code(2).says("--force");
    convert(&["toml", "rules", "--output", "out", "--force"]).code(0);
    place.write("bad/a.toml", "[rule").write("bad/b.ndjson", "{\n{\"rule_id\": \"x\"}\n");
    let run = convert(&["ndjson", "bad"])
        .code(1)
        .says("bad/a.toml: not valid TOML")
        .says("bad/b.ndjson:1: not valid JSON");
    assert_eq!(run.out, "{\"rule_id\":\"x\"}\n");
    convert(&["ndjson", "gone"]).code(2).says("rules gone: ");
}
