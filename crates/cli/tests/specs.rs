//! Our own specs, and the command that runs them.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use support::{Place, Run};

const EVENT: &str = r#"{"@timestamp": "2026-03-01T10:00:00Z", "event": {"category": "process"}, "process": {"name": "sh"}, "host": {"name": "h1"}}"#;

/// A spec with these cases: heading, info string of its events.
fn spec(cases: &[(&str, &str)]) -> String {
    let mut text = "# Shells\n\n```eql rule\nprocess where process.name == \"sh\"\n```\n".to_owned();
    for (name, info) in cases {
        text += &format!("\n## {name}\n\n```{info}\n{EVENT}\n```\n");
    }
    text
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the specs of a folder of the repository; how many cases passed.
fn passed(folder: &str) -> u64 {
    let place = Place::new();
    let path = repository().join(folder).display().to_string();
    let run = place.run(&["test", "--format", "json", &path]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
    assert_eq!(run.code, 0, "{}", place.run(&["test", "--quiet", &path]).out);
    report["passed"].as_u64().unwrap()
}

#[test]
fn our_specs_hold() {
    // The cases of our own rules are a part of these; a wrong folder must not look like success.
    assert!(passed("specs") >= 200);
}

#[test]
fn examples_in_the_docs_hold() {
    // Most of these are the pages about codes.
    assert!(passed("docs") >= 150);
}

/// A rule that the examples link to.
const SHELL_DOWNLOADS: &str = r#"
[rule]
name = "Shell downloads"
description = "D"
rule_id = "6f0e6d1c-54f6-4e0b-9a3c-0d8c1f2b7a11"
severity = "low"
risk_score = 21
type = "eql"
language = "eql"
query = '''
sequence by host.id with maxspan=1m
  [process where process.name == "sh"]
  [network where true]
'''
"#;

#[test]
fn specs_shown_in_the_docs_hold() {
    let mut shown = 0;
    for page in ["docs/specs.md", "docs/commands/test.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        for example in text.split("````markdown\n").skip(1) {
            let spec = example.split("````").next().unwrap();
            let place = Place::new();
            place.write("specs/linux/shown.md", spec);
            place.write("rules/linux/execution_shell_downloads.toml", SHELL_DOWNLOADS);
            place.write("specs/linux/shell_downloads.toml", SHELL_DOWNLOADS);
            let run = place.run(&["test", "specs"]);
            assert_eq!(run.code, 0, "{page}: {spec}\n{}\n{}", run.out, run.err);
            shown += 1;
        }
    }
    assert!(shown >= 5, "{shown}");
}

#[test]
fn exit_codes() {
    let check = |text: &str, arguments: &[&str], code: i32, last: &str| {
        let place = Place::new();
        place.write("specs/a.md", text).write("specs/other.md", "# No spec\n");
        let run = place.run(&[&["test", "specs"], arguments].concat());
        assert_eq!(run.code, code, "{text}\n{}\n{}", run.out, run.err);
        let output = run.out.clone() + &run.err;
        assert!(output.lines().last().unwrap_or("").contains(last), "{last}: {output}");
    };
    let good = spec(&[("One", "ndjson events alerts=1")]);
    let bad =
        spec(&[("One", "ndjson silent"), ("Two", "ndjson silent"), ("Three", "ndjson events alerts=1")]);
    check(&good, &[], 0, "1 passed, 0 failed, 0 skipped");
    check(&bad, &[], 1, "1 passed, 2 failed, 0 skipped");
    check(&bad, &["--fail-fast", "--jobs", "3"], 1, "0 passed, 1 failed, 0 skipped");
    check(&bad, &["--filter", "THREE"], 0, "1 passed, 0 failed, 0 skipped");
    check(&bad, &["--filter", "Four"], 2, "no case in specs has `Four`");
    check(&good.replace("ndjson events", "ndjson evnts"), &[], 2, "1 broken");
    check(
        &good.replace("# Shells\n\n```eql rule", "Rule: [r](gone.toml)\n\n```eql ignore"),
        &[],
        2,
        "1 broken",
    );
    check("# No cases\n", &[], 2, "there are no cases in specs");
    check(&good, &["--rules", "gone"], 2, "rules gone: ");
    check(&good, &["gone"], 2, "gone: ");
    check(&good, &["specs/other.md"], 2, "1 passed, 0 failed, 0 skipped, 1 broken");
}

#[test]
fn failures_are_shown_with_place_and_difference() {
    let place = Place::new();
    let text = spec(&[("One", "ndjson events")])
        + "\n```ndjson alerts\n{\"rule\": \"Shells\", \"host.name\": \"h2\"}\n```\n";
    place.write("a.md", text);
    place
        .run(&["test", "a.md"])
        .code(1)
        .prints("FAIL One  a.md:7")
        .prints("    - {\"rule\": \"Shells\", \"host.name\": \"h2\"}")
        .prints("    + {\"rule\": \"Shells\", \"host.name\": \"h1\"}")
        .prints("unexpected: alert 1 of `Shells` (shells) on event 1");
}

#[test]
fn rules_can_be_given_for_cases_without() {
    let place = Place::new();
    place.write("rules/r.toml", support::catch_all_rule("r1", "Shell", "process.name: sh"));
    place.write("a.md", format!("# T\n\n## One\n\n```ndjson events alerts=1\n{EVENT}\n```\n"));
    place.run(&["test", "a.md", "--rules", "rules"]).code(0);
    place.run(&["test", "a.md"]).code(2).prints("the case has no rule");
}

#[test]
fn update_writes_what_came_and_nothing_else() {
    let place = Place::new();
    let before = spec(&[("One", "ndjson events"), ("Two", "ndjson silent")]) + "\nThe end";
    place.write("a.md", &before);
    place.run(&["test", "--update", "a.md"]).code(0).says("updated a.md").prints("2 passed");
    let added = "\n\n```ndjson alerts\n{\"rule\": \"Shells\", \"reason\": \"process event with process sh, \
                 on h1 created low alert Shells.\"}\n```";
    let block = format!("```ndjson events\n{EVENT}\n```");
    let expected =
        before.replace(&block, &(block.clone() + added)).replace("ndjson silent", "ndjson events alerts=1");
    assert_eq!(place.read("a.md"), expected);
    let run = place.run(&["test", "--update", "a.md"]).code(0);
    assert!(!run.err.contains("updated"), "{}", run.err);
    assert_eq!(place.read("a.md"), expected);
}

#[test]
fn outcomes_for_machines() {
    let place = Place::new();
    let text = spec(&[("Good <&\">", "ndjson events alerts=1"), ("Bad, 50%", "ndjson silent")]);
    place.write("a.md", text);
    let run = |format: &str| place.run(&["test", "--format", format, "a.md"]).code(1);
    let json = run("json").json();
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    assert_eq!(json["files"][0]["cases"][1]["differences"][0]["line"], 15);
    run("github")
        .prints("::error file=a.md,line=15,title=Bad%2C 50%25::no alert expected of these events, 1 came%0A");
    let xml = run("junit");
    let xml = xml
        .prints("<testsuites name=\"maxspan\" tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\"")
        .prints("name=\"Good &lt;&amp;&quot;&gt;\" classname=\"a.md\"")
        .prints("file=\"a.md\" line=\"13\"")
        .prints("<failure message=\"no alert expected of these events, 1 came\"");
    place
        .run(&["test", "--format", "junit", "--output", "out.xml", "a.md"])
        .code(1)
        .says("1 passed, 1 failed");
    let times = |text: &str| text.split('"').filter(|part| part.parse::<f64>().is_err()).collect::<String>();
    assert_eq!(times(&place.read("out.xml")), times(&xml.out));
}

#[test]
fn the_summary_of_a_job_is_appended() {
    let place = Place::new();
    place.write("a.md", spec(&[("Bad | case", "ndjson silent")]));
    let mut command = place.command(&["test", "--format", "github", "a.md"]);
    command.env("GITHUB_STEP_SUMMARY", place.path().join("summary.md"));
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    assert!(place.read("summary.md").contains("| a.md:7 | Bad \\| case |"));
}

#[test]
fn watching_runs_what_a_change_concerns() {
    let place = Place::new();
    let rule = support::catch_all_rule("r1", "Shell", "process.name: sh");
    let linked = format!("# L\n\nRule: [r](../rules/r.toml)\n\n```ndjson events alerts=1\n{EVENT}\n```\n");
    place.write("rules/r.toml", &rule).write("specs/linked.md", linked);
    place.write("specs/other.md", spec(&[("One", "ndjson events alerts=1")]));
    let mut child = place.command(&["test", "--watch", "specs"]).spawn().unwrap();
    let (sender, lines) = mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let next = || {
        let mut report = String::new();
        while !report.contains(" passed, ") || !report.contains(" skipped") {
            report += &(lines.recv_timeout(Duration::from_mins(1)).expect("a line of the report") + "\n");
        }
        report
    };
    assert!(next().contains("2 passed, 0 failed"));
    place.write("rules/r.toml", rule.replace("process.name: sh", "process.name: zsh"));
    let report = next();
    assert!(report.contains("0 passed, 1 failed") && report.contains("linked.md"), "{report}");
    place.write("specs/other.md", spec(&[("One", "ndjson events alerts=1"), ("Two", "ndjson silent")]));
    let report = next();
    assert!(report.contains("1 passed, 1 failed") && !report.contains("linked.md"), "{report}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn deep_or_odd_texts_do_not_stop_the_others() {
    let place = Place::new();
    place.write("specs/a.md", "> ".repeat(5_000) + "\n" + &"- ".repeat(5_000) + "```ndjson events\n{");
    place.write("specs/b.md", [0xff, 0xfe, b'#']);
    place.write("specs/c.md", spec(&[("One", "ndjson events alerts=1")]));
    let run: Run = place.run(&["test", "specs"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.out.contains("1 passed, 0 failed"), "{}", run.out);
}
