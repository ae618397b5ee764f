//! `maxspan hunt` as a user runs it: formats, files, bad inputs, exit codes.

mod support;

use std::io::Write as _;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use support::{
    DEFAULTS_ID, DEFAULTS_NAME, Place, catch_all_rule, defaults_event, defaults_rule, ndjson, rules_folder,
};

const NOW: &str = "2026-04-01T00:00:00Z";

/// A folder with our rule and two events that it matches, on two hosts and two days.
fn place() -> Place {
    let place = Place::new();
    let events = [
        defaults_event("2026-03-10T10:00:00.000Z", "mac-1"),
        defaults_event("2026-03-11T11:00:00.000Z", "mac-2"),
    ];
    place.write("rules/defaults.toml", defaults_rule()).write("events.ndjson", ndjson(&events));
    place
}

const HUNT: [&str; 5] = ["hunt", "--rules", "rules", "--now", NOW];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    HUNT.iter().chain(more).copied().collect()
}

#[test]
fn alerts_are_documents_on_lines_of_their_own() {
    let run = place().run(&with(&["events.ndjson"])).code(0);
    let alerts = run.lines();
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[0]["kibana.alert.rule.rule_id"], DEFAULTS_ID);
    assert_eq!(alerts[0]["kibana.alert.original_time"], "2026-03-10T10:00:00.000Z");
    assert_eq!(alerts[0]["@timestamp"], "2026-04-01T00:00:00.000Z");
    assert_eq!(alerts[1]["host"]["name"], "mac-2");
    assert_eq!(place().run(&with(&["events.ndjson"])).out, run.out, "the same in every run");
    let run = run.says("Events  2 read").says("Rules   1 ran").says("Alerts  2 by 1 rule");
    assert!(
        !run.err.contains('\u{1b}') && !run.out.contains('\u{1b}'),
        "no colour where there is no terminal"
    );
}

#[test]
fn a_table_has_a_row_for_each_alert() {
    let run = place().run(&with(&["--format", "table", "events.ndjson"])).code(0);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", run.out);
    assert!(lines[0].starts_with("TIME "));
    for part in
        ["2026-03-11T11:00:00.000Z", "medium", DEFAULTS_NAME, "mac-2", "root", "process event with process"]
    {
        assert!(lines[2].contains(part), "{}", lines[2]);
    }
}

#[test]
fn a_table_shows_a_sequence_once_with_the_time_of_its_last_event() {
    let place = Place::new();
    place.run(&["demo", "--format", "ndjson", "--events", "demo.ndjson"]).code(0);
    let rule = |name: &str| rules_folder().join("macos").join(name).display().to_string();
    let sequence = rule("installer_package_spawns_network_event.toml");
    let event = rule("softwareupdate_preferences_modification.toml");
    let arguments = ["hunt", "--rules", &sequence, "--rules", &event, "--format", "table", "demo.ndjson"];
    let run = place.run(&arguments).code(0);
    assert_eq!(run.out.lines().count(), 4, "{}", run.out);
    run.prints("2026-03-10T15:12:36.895Z  medium    macOS Installer Package Spawns a Network Event");
}

#[test]
fn a_summary_has_a_row_for_each_rule() {
    let place = place();
    let every_event = catch_all_rule("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7a01", "Every event", "event.kind: *");
    // Alerts are named after a field, the row after the rule.
    place.write(
        "rules/all.toml",
        every_event.replace("risk_score", "rule_name_override = \"host.name\"\nrisk_score"),
    );
    let run = place.run(&with(&["--format", "summary", "events.ndjson"])).code(0);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[1].starts_with("medium         2  SoftwareUpdate"), "the gravest first: {}", run.out);
    assert!(lines[2].starts_with("low            2  Every event"), "{}", run.out);
    assert!(
        lines[1].contains("2026-03-10T10:00:00.000Z  2026-03-11T11:00:00.000Z  mac-1, mac-2"),
        "{}",
        run.out
    );
    run.prints("4 alerts of 2 rules on 2 hosts, from 2026-03-10T10:00:00.000Z to 2026-03-11T11:00:00.000Z");
    place.run(&with(&["--format", "summary", "--to", "2020", "events.ndjson"])).code(0).prints("no alerts");
}

#[test]
fn alerts_and_stats_go_to_files() {
    let place = place();
    let run =
        place.run(&with(&["--output", "alerts.ndjson", "--stats", "stats.json", "--quiet", "events.ndjson"]));
    let run = run.code(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    assert_eq!(place.read("alerts.ndjson").lines().count(), 2);
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    let number = |name: &str| stats[name].as_u64().unwrap();
    assert_eq!((number("events"), number("events_failed"), number("alerts")), (2, 0, 2));
    assert_eq!((number("rules_loaded"), number("rules_failed"), number("rules_not_run")), (1, 0, 0));
    assert_eq!(stats["alerts_by_rule"][DEFAULTS_ID], 2);
    assert_eq!(number("bytes"), place.read("events.ndjson").len() as u64);
    assert!(stats["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn standard_input_is_read() {
    let place = place();
    let events = place.read("events.ndjson");
    let run = place.run_with_input(&with(&["-"]), events.as_bytes()).code(0);
    assert_eq!(run.lines().len(), 2);
}

#[test]
fn the_window_takes_dates_and_date_math() {
    let place = place();
    let check = |window: &[&str], expected: usize| {
        let run = place.run(&[&with(window)[..], &["events.ndjson"]].concat()).code(0);
        assert_eq!(run.lines().len(), expected, "{window:?}");
    };
    check(&["--from", "2026-03-11"], 1);
    check(&["--to", "2026-03-10"], 1);
    check(&["--from", "2026-03-10", "--to", "2026-03-11"], 2);
    check(&["--from", "now-7d"], 0);
    check(&["--from", "now-22d", "--to", "now-21d"], 1);
    place
        .run(&with(&["--from", "yesterday", "events.ndjson"]))
        .code(2)
        .says("--from is no time: `yesterday`");
    place
        .run(&with(&["--from", "2026", "--to", "2025", "events.ndjson"]))
        .code(2)
        .says("the window is empty");
}

#[test]
fn capped_alerts_are_counted_and_the_cap_can_be_lifted() {
    let place = Place::new();
    let events: Vec<Value> =
        (0..5).map(|second| defaults_event(&format!("2026-03-10T10:00:0{second}.000Z"), "mac-1")).collect();
    place.write("rules/defaults.toml", defaults_rule()).write("events.ndjson", ndjson(&events));
    let run = place.run(&with(&["--max-signals", "2", "--stats", "stats.json", "events.ndjson"])).code(0);
    assert_eq!(run.lines().len(), 2);
    run.says("Lost    3 alerts over max_signals, of 1 rule").says(&format!("3  {DEFAULTS_NAME}"));
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert_eq!(stats["alerts_capped_by_rule"][DEFAULTS_ID], 3);
    let run = place.run(&with(&["--max-signals", "2", "--format", "summary", "events.ndjson"])).code(0);
    run.prints("SEVERITY  ALERTS  CAPPED  RULE").prints("medium         2       3  Soft");
    assert_eq!(place.run(&with(&["--no-cap", "events.ndjson"])).code(0).lines().len(), 5);
    place.run(&with(&["--no-cap", "--max-signals", "2", "events.ndjson"])).code(2);
}

#[test]
fn exceptions_silence_an_alert() {
    let place = place();
    let reference = r#"exceptions_list = [{ id = "l1", list_id = "office", type = "detection", namespace_type = "single" }]"#;
    let rule = defaults_rule().replacen("from = \"now-9m\"", &format!("{reference}\nfrom = \"now-9m\""), 1);
    place.write("rules/defaults.toml", rule).write(
        "exceptions/office.toml",
        "[metadata]\n[[exceptions]]\n[exceptions.container]\nlist_id = 'office'\nname = 'Office'\ntype = 'detection'\n\
         description = 'D'\nnamespace_type = 'single'\n[[exceptions.items]]\nlist_id = 'office'\nitem_id = 'mac-1'\n\
         name = 'mac-1 is a kiosk'\ndescription = 'D'\ntype = 'simple'\nnamespace_type = 'single'\n\
         [[exceptions.items.entries]]\nfield = 'host.name'\ntype = 'match'\noperator = 'included'\nvalue = 'mac-1'\n",
    );
    let run =
        place.run(&with(&["events.ndjson"])).code(0).says("1 warning about rules (--verbose shows them)");
    assert_eq!(run.lines().len(), 2, "the list is not loaded");
    let run = place.run(&with(&["--verbose", "events.ndjson"])).code(0);
    run.says("exception list `office` is not there");
    let run = place.run(&with(&["--exceptions", "exceptions", "events.ndjson"])).code(0);
    let alerts = run.lines();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["host"]["name"], "mac-2");
}

#[test]
fn what_cannot_be_read_is_shown_and_does_not_stop_the_hunt() {
    let place = place();
    let events = place.read("events.ndjson");
    let broken: String = (0..25).map(|_| "{\"a\": nonsense}\n").collect();
    place.write("broken.ndjson", format!("{broken}{events}"));
    let run = place.run(&with(&["broken.ndjson", "gone.ndjson"])).code(0);
    assert_eq!(run.lines().len(), 2);
    let run =
        run.says("broken.ndjson:1:8: malformed: ").says("broken.ndjson:20:").says("… and 6 more problems");
    assert!(!run.err.contains("broken.ndjson:21:"), "{}", run.err);
    run.says("2 read").says("25 could not be read");
}

#[test]
fn a_truncated_file_gives_what_it_has() {
    let place = place();
    let many: Vec<Value> = (0..2_000)
        .map(|n| defaults_event("2026-03-10T10:00:00.000Z", &format!("mac-{}", n * 7_919)))
        .collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(ndjson(&many).as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    place.write("half.ndjson.gz", &whole[..whole.len() / 2]);
    let run = place.run(&with(&["half.ndjson.gz"])).code(0).says("half.ndjson.gz").says("truncated");
    assert!(!run.lines().is_empty());
}

#[test]
fn an_input_that_gives_nothing_is_an_error() {
    let place = place();
    place.run(&with(&["gone.ndjson"])).code(3).says("gone.ndjson: unreadable: ");
    std::fs::create_dir(place.path().join("empty")).unwrap();
    place.run(&with(&["empty"])).code(3).says("empty");
    place.write("text.ndjson", "hello\nworld\n");
    place.run(&with(&["text.ndjson"])).code(3).says("text.ndjson:1");
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    place.write("closed/events.ndjson", "{}\n");
    let closed = place.path().join("closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if std::fs::read_dir(&closed).is_err() {
        place.run(&with(&["events.ndjson", "closed"])).code(0).says("closed: unreadable: ");
        place.run(&with(&["closed"])).code(3);
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_broken_rule_does_not_stop_a_good_one() {
    let place = place();
    place.write(
        "rules/broken.toml",
        catch_all_rule("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7a02", "Broken", "event.kind: (a or"),
    );
    let run = place.run(&with(&["events.ndjson"])).code(0);
    assert_eq!(run.lines().len(), 2);
    run.says("error[MX13").says("rules/broken.toml:").says("Rules   1 ran, 1 failed");
}

#[test]
fn when_no_rule_can_be_run_the_hunt_fails() {
    let place = place();
    place.write(
        "bad/one.toml",
        catch_all_rule("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7a03", "X", "a: 1")
            .replace("\"query\"", "\"matsch\""),
    );
    let hunt = |rules: &str| place.run(&["hunt", "--rules", rules, "events.ndjson"]);
    hunt("bad").code(1).says("MX1404").says("no rule can be run: 1 failed");
    hunt("gone").code(2).says("rules gone: ");
    std::fs::create_dir(place.path().join("none")).unwrap();
    hunt("none").code(2).says("no rules in none");
}

#[test]
fn rules_are_chosen_by_id_and_by_name() {
    let place = place();
    place.write(
        "rules/all.toml",
        catch_all_rule("5b2b3cd8-3c6e-4c52-8d8c-6c1a1f8f7a04", "Every event", "event.kind: *"),
    );
    let hunt = |rule: &str| place.run(&with(&["--rule", rule, "events.ndjson"]));
    let run = hunt(DEFAULTS_ID).code(0);
    assert!(run.lines().iter().all(|alert| alert["kibana.alert.rule.rule_id"] == DEFAULTS_ID));
    assert_eq!(hunt("every event").code(0).lines().len(), 2);
    hunt("nonsense")
        .code(2)
        .says("no rule has the id or name `nonsense`")
        .says("names no rule that is there");
    let both = place.run(&with(&["--rule", "nonsense", "--rule", DEFAULTS_ID, "events.ndjson"])).code(0);
    assert_eq!(both.says("no rule has the id or name `nonsense`").lines().len(), 2);
}

#[test]
fn exit_codes_tell_of_alerts_and_of_outputs() {
    let place = place();
    place.run(&with(&["--fail-on-alert", "events.ndjson"])).code(10);
    place.run(&with(&["--fail-on-alert", "--to", "2020", "events.ndjson"])).code(0);
    place
        .run(&with(&["--output", "gone/alerts.ndjson", "events.ndjson"]))
        .code(4)
        .says("cannot write the alerts");
    place.run(&with(&["--stats", "gone/stats.json", "events.ndjson"])).code(4).says("cannot write the stats");
    place.run(&["hunt", "events.ndjson"]).code(2);
    place.run(&with(&["--sequence-memory", "much", "events.ndjson"])).code(2).says("for instance 512MiB");
    place.run(&with(&["--sequence-memory", "64MiB", "--temp-dir", ".", "events.ndjson"])).code(0);
}

#[test]
fn a_temporary_file_that_cannot_be_written_is_told() {
    let place = place();
    let gone = &["--sequence-memory", "100", "--temp-dir", "gone", "events.ndjson"];
    let told = "cannot write a temporary file in gone: ";
    place.run(&with(gone)).code(0).says(told).says("--temp-dir names another folder");
    let all = place.run(&with(&["events.ndjson"])).code(0);
    let there = &["--sequence-memory", "100", "--temp-dir", ".", "--stats", "stats.json", "events.ndjson"];
    let aside = place.run(&with(there)).code(0);
    assert_eq!((aside.out, aside.err.contains("temporary file")), (all.out, false));
    let stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
    assert!(stats["spilled_bytes"].as_u64().unwrap() > 0 && stats.get("spill_error").is_none(), "{stats}");
}

/// Enough events for tens of batches, in all shapes, with what cannot be read between them.
fn large_inputs() -> Place {
    let place = place();
    let event = |number: usize| {
        let event = defaults_event("2026-03-10T10:00:00.000Z", &format!("mac-{}", number % 97));
        match number % 307 {
            100 => format!("{{\"broken\": {number}\n"),
            101 => "{\"number\": 01}\n\n".to_owned(),
            102 => format!("{event}{event}\n"),
            103 => format!("{{\"index\":{{\"_index\":\"logs-x\",\"_id\":\"{number}\"}}}}\n{event}\n"),
            // Doubles, told apart by what came before.
            _ => format!("{event}\n"),
        }
    };
    let lines = |numbers: std::ops::Range<usize>| numbers.map(event).collect::<String>();
    let array: Vec<Value> = (0..500).map(|_| defaults_event("2026-03-12T10:00:00Z", "mac-a")).collect();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines(3_000..5_000).as_bytes()).unwrap();
    place
        .write("logs/a.ndjson", lines(0..3_000))
        .write("logs/b.ndjson.gz", packed.finish().unwrap())
        .write("logs/c.json", Value::Array(array).to_string())
        .write("logs/d.ndjson", lines(5_000..6_000).trim_end());
    place
}

#[test]
fn the_output_is_the_same_for_any_number_of_threads() {
    let place = large_inputs();
    let hunted = |threads: &str| {
        let run =
            place.run(&with(&["--no-cap", "--threads", threads, "--stats", "stats.json", "-q", "logs"]));
        let mut stats: Value = serde_json::from_str(&place.read("stats.json")).unwrap();
        // Times are never the same; counts of rules are.
        stats["seconds"].take();
        stats["time_shares"].take();
        stats["prefilter"]["rules"][DEFAULTS_ID]["nanoseconds"].take();
        let run = run.code(0);
        (run.out, run.err, stats)
    };
    let one = hunted("1");
    assert_eq!(one.2["events"], 6_480, "{}", one.2);
    assert_eq!(one.2["events_failed"], 40, "{}", one.2);
    assert!(one.0.lines().count() > 6_000 && one.1.contains("and 20 more problems"), "{}", one.1);
    for threads in ["2", "3"] {
        let other = hunted(threads);
        assert!(one.0 == other.0, "the alerts differ with {threads} threads");
        assert_eq!((&one.1, &one.2), (&other.1, &other.2), "{threads} threads");
    }
    let query = |threads: &str| {
        let text = "sample by host.name [process where true] [process where true]";
        place.run(&["query", "--language", "eql", "--size", "50", "--threads", threads, text, "logs"]).code(0)
    };
    let (one, three) = (query("1"), query("3"));
    assert_eq!((&one.json()["hits"], &one.err), (&three.json()["hits"], &three.err));
}

#[test]
fn a_number_of_threads_is_a_number() {
    for threads in ["0", "many", "-1", "257"] {
        place()
            .run(&with(&[&format!("--threads={threads}"), "events.ndjson"]))
            .code(2)
            .says("write a number from 1 to 256");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    place().run(&with(&["--output", "/dev/full", "events.ndjson"])).code(4).says("cannot write the alerts");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = place();
    let mut child = place.command(&with(&["--quiet", "-"])).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    input.write_all(place.read("events.ndjson").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn text_of_events_cannot_steer_the_terminal() {
    let place = place();
    let event = defaults_event("2026-03-10T10:00:00.000Z", "mac\u{1b}[2J\r\n");
    place.write("hostile.ndjson", ndjson(&[event]));
    for format in ["table", "summary"] {
        let run = place.run(&with(&["--format", format, "hostile.ndjson"])).code(0);
        assert!(!run.out.contains('\u{1b}') && !run.out.contains('\r'), "{:?}", run.out);
    }
}

/// A sequence that ends with an event that has to be missing fires once its window has passed, and not before.
#[test]
fn a_missing_event_is_waited_for_to_the_end_of_its_window() {
    let event = |time: &str, action: &str| serde_json::json!({"@timestamp": time, "event": {"category": "host", "action": action}, "host": {"id": "h"}});
    let rule = catch_all_rule("seq", "Not recovered", "")
        .replace("type = \"query\"\nlanguage = \"kuery\"", "type = \"eql\"\nlanguage = \"eql\"");
    let query = "sequence by host.id with maxspan=10m [host where event.action == \"down\"] \
                 ![host where event.action == \"up\"]";
    let rule = rule.replace("'''\n\n'''", &format!("'''{query}'''"));
    let check = |recovered: Option<&str>, to: Option<&str>, alerts: usize, undecided: bool| {
        let place = Place::new();
        let mut events = vec![event("2026-03-27T05:17:04Z", "down")];
        events.extend(recovered.map(|time| event(time, "up")));
        place.write("rules/r.toml", &rule).write("events.ndjson", ndjson(&events));
        let mut arguments = with(&["events.ndjson", "--index", "logs-x"]);
        arguments.extend(to.iter().flat_map(|to| ["--to", to]));
        let run = place.run(&arguments).code(0);
        let shells =
            run.lines().iter().filter(|alert| alert["kibana.alert.building_block_type"].is_null()).count();
        assert_eq!(shells, alerts, "{recovered:?} {to:?}: {}", run.err);
        assert_eq!(run.err.contains("1 sequence whose maxspan ends after --to"), undecided, "{}", run.err);
    };
    let (late, inside) = (Some("2026-03-27T05:27:05Z"), Some("2026-03-27T05:23:05Z"));
    check(inside, Some("2026-03-27T05:20:00Z"), 0, true);
    check(inside, Some("2026-03-27T05:25:00Z"), 0, false);
    check(None, Some("2026-03-27T05:25:00Z"), 0, true);
    check(None, Some("2026-03-27T05:27:04Z"), 1, false);
    check(late, Some("2026-03-27T05:30:00Z"), 1, false);
    // Without an end, the input is all there is.
    check(None, None, 1, false);
}

#[test]
fn a_file_of_exceptions_without_any_is_told() {
    let place = place();
    place.write("none.ndjson", ndjson(&[defaults_event("2026-03-10T10:00:00.000Z", "mac-1")]));
    let run = place.run(&with(&["--exceptions", "none.ndjson", "events.ndjson"])).code(0);
    run.says("--exceptions names no file with exceptions or value lists");
    place.run(&with(&["--exceptions", "gone", "events.ndjson"])).code(2).says("exceptions gone:");
}
