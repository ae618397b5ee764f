//! Scenarios against other engines, with rules that both can express. A peer that is not installed is named, with how to
//! install it, and its scenario is skipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::measure::{self, Run, in_turns};
use crate::bench::programs::Programs;
use crate::bench::report::{Bar, Report, Row};
use crate::bench::scenarios::{count, median_cpu};
use crate::bench::{generate, inputs, machine};
use crate::paths;

/// How many rules `RSigma` is compared with.
const RSIGMA_RULES: [usize; 3] = [100, 1_000, 3_000];

const RSIGMA_VERSION: &str = "0.23.0";

/// How many rules python-eql is compared with, and over how many events: it takes its time.
const PYTHON_RULES: usize = 1_000;
const PYTHON_EVENTS: usize = 1_000;

/// Alerts by the rule's id.
type Alerts = BTreeMap<String, u64>;

/// The same rules in maxspan and `RSigma`, over the Windows events.
pub(super) fn rsigma(programs: &Programs, runs: usize) -> Result<Report> {
    let version = machine::first_line("rsigma", &["--version"]);
    if version.is_empty() {
        let install = format!("cargo install --locked rsigma --version {RSIGMA_VERSION}");
        return Ok(Report::note(format!("skipped: RSigma is not installed (`{install}`)")));
    }
    let mut report = Report::note(format!("{version}; the bars are for {RSIGMA_VERSION}"));
    for rules in RSIGMA_RULES {
        report.extend(rsigma_with(programs, runs, rules)?);
    }
    Ok(report)
}

fn rsigma_with(programs: &Programs, runs: usize, rules: usize) -> Result<Report> {
    let (generated, events) = (generate::write(programs, rules)?, inputs::windows(programs)?);
    let nothing = inputs::one(programs)?;
    let ours = || programs.hunt_on(1, &generated.eql, &events, &["--no-cap"]);
    let ours_nothing = || programs.hunt_on(1, &generated.eql, &nothing, &["--no-cap"]);
    let theirs = || rsigma_run(programs, &generated.sigma, &events);
    let theirs_nothing = || rsigma_run(programs, &generated.sigma, &nothing);
    let [ours, theirs, our_loads, their_loads] =
        in_turns(runs, [&ours, &theirs, &ours_nothing, &theirs_nothing])?;
    let (our_loading, their_loading) = (median_cpu(&our_loads), median_cpu(&their_loads));
    let pairs = || ours.iter().zip(&theirs);
    let net =
        |(our, their): (&Run, &Run)| (their.cpu_seconds - their_loading) / (our.cpu_seconds - our_loading);
    let differing = differing(&alerts(&ours[0])?, &alerts(&theirs[0])?);
    let rows = vec![
        Row::new(format!("{rules} rules, throughput on a core"), pairs().map(net), "×")
            .against(Bar::AtLeast(6.0)),
        Row::new(
            format!("{rules} rules, whole processes"),
            pairs().map(|(our, their)| their.cpu_seconds / our.cpu_seconds),
            "×",
        )
        .against(Bar::AtLeast(6.0)),
        Row::new(format!("{rules} rules, maxspan"), ours.iter().map(|run| run.cpu_seconds), "CPU s"),
        Row::new(format!("{rules} rules, RSigma"), theirs.iter().map(|run| run.cpu_seconds), "CPU s"),
        Row::new(format!("{rules} rules, rules with other alert counts"), [differing as f64], "")
            .against(Bar::AtMost(0.0)),
    ];
    let note = format!("{rules} rules: {} alerts", count(&ours[0], "/alerts"));
    Ok(Report { rows, notes: vec![note] })
}

/// `RSigma` writes one JSON document a line for what a rule matched; with the event, as our alerts have it.
fn rsigma_run(programs: &Programs, rules: &Path, events: &Path) -> Result<Run> {
    let output = programs.path("rsigma.ndjson");
    let mut command = Command::new("rsigma");
    command.args([
        "engine",
        "eval",
        "--quiet",
        "--include-event",
        "--output-format",
        "ndjson",
        "--input-format",
        "json",
        "--rules",
    ]);
    command.arg(rules).arg("--event").arg(format!("@{}", events.display()));
    measure::warm(events)?;
    let run = measure::run(&mut command, &output)?;
    let text = fs::read_to_string(&output)?;
    let mut by_rule = Alerts::new();
    for line in text.lines() {
        let document: Value = serde_json::from_str(line).context("a line of RSigma")?;
        let id = document["rule_id"].as_str().context("RSigma names the rule")?;
        *by_rule.entry(id.to_owned()).or_default() += 1;
    }
    Ok(Run { said: serde_json::json!({ "alerts_by_rule": by_rule }), ..run })
}

fn alerts(run: &Run) -> Result<Alerts> {
    serde_json::from_value(run.said["alerts_by_rule"].clone()).context("alerts by rule")
}

/// How many rules have another count on the other side.
fn differing(ours: &Alerts, theirs: &Alerts) -> usize {
    let ids: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    ids.into_iter().filter(|id| ours.get(*id) != theirs.get(*id)).count()
}

/// The same EQL in maxspan and python-eql. python-eql gets the begin of the events, and is compared by megabytes.
pub(super) fn python_eql(programs: &Programs, runs: usize) -> Result<Report> {
    let version = machine::first_line("python3", &["-c", "import eql; print(eql.__version__)"]);
    if version.is_empty() {
        return Ok(Report::note("skipped: python-eql is not installed (`pip install eql`)"));
    }
    let generated = generate::write(programs, PYTHON_RULES)?;
    let (events, begin) = (inputs::windows(programs)?, inputs::head(programs, PYTHON_EVENTS)?);
    let nothing = inputs::one(programs)?;
    let ours = || programs.hunt_on(1, &generated.eql, &events, &["--no-cap"]);
    let load = || programs.hunt_on(1, &generated.eql, &nothing, &["--no-cap"]);
    let theirs = || python_run(programs, &generated.queries, &begin);
    let [ours, loads, theirs] = in_turns(runs, [&ours, &load, &theirs])?;
    let same_events = programs.hunt_on(1, &generated.eql, &begin, &["--no-cap"])?;
    let (our_alerts, their_alerts) = (count(&same_events, "/alerts"), count(&theirs[0], "/alerts"));
    ensure!(
        theirs[0].said["events"] == same_events.said["events"],
        "python-eql did not read the same events"
    );
    let loading = median_cpu(&loads);
    let megabytes = count(&ours[0], "/bytes") / 1e6;
    let their_megabytes = count(&same_events, "/bytes") / 1e6;
    let our_speeds = || ours.iter().map(|run| megabytes / (run.cpu_seconds - loading));
    let their_speeds = || theirs.iter().map(|run| their_megabytes / count(run, "/cpu_seconds"));
    let ratios = our_speeds().zip(their_speeds()).map(|(our, their)| our / their);
    let rows = vec![
        Row::new(format!("{PYTHON_RULES} rules, throughput on a core"), ratios, "×")
            .against(Bar::AtLeast(100.0)),
        Row::new("maxspan", our_speeds(), "MB/s"),
        Row::new("python-eql", their_speeds(), "MB/s"),
        Row::new("difference of alert counts", [(our_alerts - their_alerts).abs()], "")
            .against(Bar::AtMost(0.0)),
    ];
    let note =
        format!("python-eql {version} over the first {PYTHON_EVENTS} events; {our_alerts} alerts in these");
    Ok(Report { rows, notes: vec![note] })
}

fn python_run(programs: &Programs, queries: &Path, events: &Path) -> Result<Run> {
    let script = paths::workspace().join("bench/reference/python_eql.py");
    let mut command = Command::new("python3");
    measure::warm(events)?;
    measure::run_and_ask(command.arg(script).arg(queries).arg(events), &programs.path("python.json"))
}

#[cfg(test)]
mod tests {
    use super::{Alerts, differing};

    #[test]
    fn rules_with_other_counts_are_counted() {
        let alerts = |pairs: &[(&str, u64)]| -> Alerts {
            pairs.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
        };
        assert_eq!(differing(&alerts(&[("a", 1), ("b", 2)]), &alerts(&[("a", 1), ("b", 2)])), 0);
        assert_eq!(differing(&alerts(&[("a", 1), ("b", 2)]), &alerts(&[("a", 2), ("c", 2)])), 3);
    }
}
