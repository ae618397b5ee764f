//! The scenarios: the table of them, and those that measure maxspan against itself and against a bare parse.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::measure::{self, Run, in_turns};
use crate::bench::programs::Programs;
use crate::bench::report::{Bar, Report, Row, median};
use crate::bench::{corpus, inputs, peers};
use crate::{cargo, paths};

/// The demo has fewer events.
const DEMO_EVENTS_MAX: usize = 1 << 13;

/// Something to measure.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Runs every program so many times.
    pub(super) run: fn(&Programs, usize) -> Result<Report>,
}

/// All scenarios, in the order in which they run.
pub(super) const SCENARIOS: [Scenario; 12] = [
    Scenario {
        name: "corpus",
        about: "a hunt with the rule corpus ÷ simd-json's tape, Windows events",
        run: corpus,
    },
    Scenario { name: "packs", about: "the same over the packs of other systems", run: packs },
    Scenario { name: "rules", about: "cost with all rules ÷ cost with 50 of them", run: rules },
    Scenario {
        name: "tenfold",
        about: "cost with the corpus ten times over ÷ cost with it once",
        run: tenfold,
    },
    Scenario { name: "prefilter", about: "rules without an anchor, and candidates an event", run: prefilter },
    Scenario { name: "threads", about: "two threads ÷ one", run: threads },
    Scenario { name: "rsigma", about: "maxspan ÷ RSigma with the same rules", run: peers::rsigma },
    Scenario {
        name: "python-eql",
        about: "maxspan ÷ python-eql with the same rules",
        run: peers::python_eql,
    },
    Scenario { name: "sequences", about: "sequences with a million open keys", run: sequences },
    Scenario { name: "memory", about: "peak memory of a hunt, and with four times the events", run: memory },
    Scenario { name: "loading", about: "loading and compiling the rule corpus", run: loading },
    Scenario {
        name: "first-alert",
        about: "from start to end on a small file with our own rules",
        run: first_alert,
    },
];

fn corpus(programs: &Programs, runs: usize) -> Result<Report> {
    let (rules, nothing, events) = (corpus::whole(), inputs::one(programs)?, inputs::windows(programs)?);
    let hunt = || programs.hunt(&rules, &events);
    let tape = || programs.tape(&events);
    let load = || programs.hunt(&rules, &nothing);
    let [hunts, tapes, loads] = in_turns(runs, [&hunt, &tape, &load])?;
    throughput(&hunts, &tapes, median_cpu(&loads))
}

fn packs(programs: &Programs, runs: usize) -> Result<Report> {
    let mut report = Report::default();
    for name in inputs::OTHER_PACKS {
        report.extend(pack(programs, runs, name)?);
    }
    Ok(report)
}

/// One pack against the tape. Packs of attacks raise an alert for every tenth event, and writing alerts then costs more
/// than finding them; so it is also measured with one alert a rule.
fn pack(programs: &Programs, runs: usize, name: &str) -> Result<Report> {
    let (pack, rules, nothing) = (inputs::pack(programs, name)?, corpus::whole(), inputs::one(programs)?);
    let hunt = || programs.hunt(&rules, &pack.path);
    let capped = || programs.hunt_on(1, &rules, &pack.path, &["--max-signals", "1"]);
    let tape = || programs.tape(&pack.path);
    let load = || programs.hunt(&rules, &nothing);
    let [hunts, capped, tapes, loads] = in_turns(runs, [&hunt, &capped, &tape, &load])?;
    let loading = median_cpu(&loads);
    let row = |what: String, hunts: &[Run]| {
        let pairs = hunts.iter().zip(&tapes);
        Row::new(what, pairs.map(|(hunt, tape)| tape.cpu_seconds / (hunt.cpu_seconds - loading)), "×")
    };
    let rows = vec![
        row(name.to_owned(), &hunts).against(Bar::AtLeast(0.6)),
        row(format!("{name}, one alert a rule"), &capped),
    ];
    let times = if pack.times == 1 { "once".to_owned() } else { format!("{} times over", pack.times) };
    let [events, bytes, all, few] = [
        count(&hunts[0], "/events"),
        count(&hunts[0], "/bytes") / 1e6,
        count(&hunts[0], "/alerts"),
        count(&capped[0], "/alerts"),
    ];
    let note =
        format!("{name}, {times}: {events} events, {bytes:.1} MB, {all} alerts, {few} with one a rule");
    Ok(Report { rows, notes: vec![note] })
}

/// A hunt with the corpus against the tape.
fn throughput(hunts: &[Run], tapes: &[Run], loading: f64) -> Result<Report> {
    let megabytes = tapes[0].number("/bytes").context("the tape counts bytes")? / 1e6;
    let pairs = || hunts.iter().zip(tapes);
    let net = |run: &Run| run.cpu_seconds - loading;
    let seconds = |run: &Run| run.number("/seconds").unwrap_or(f64::NAN);
    let rows = vec![
        Row::new(
            "hunt ÷ tape, throughput on a core",
            pairs().map(|(hunt, tape)| tape.cpu_seconds / net(hunt)),
            "×",
        )
        .against(Bar::AtLeast(0.7)),
        Row::new("hunt ÷ tape, by the clock", pairs().map(|(hunt, tape)| seconds(tape) / seconds(hunt)), "×"),
        Row::new(
            "hunt ÷ tape, whole processes on a core",
            pairs().map(|(hunt, tape)| tape.cpu_seconds / hunt.cpu_seconds),
            "×",
        ),
        Row::new("hunt, on a core", hunts.iter().map(|run| megabytes / net(run)), "MB/s"),
        Row::new("tape, on a core", tapes.iter().map(|run| megabytes / run.cpu_seconds), "MB/s"),
        Row::new("hunt, on a core", hunts.iter().map(|run| count(run, "/events") / net(run)), "events/s"),
        Row::new("hunt, by the clock", hunts.iter().map(seconds), "s"),
        Row::new("hunt, whole process", hunts.iter().map(|run| run.wall_seconds), "s"),
        Row::new("hunt, whole process, on all cores", hunts.iter().map(|run| run.cpu_seconds), "CPU s"),
    ];
    let (events, alerts) = (count(&hunts[0], "/events"), count(&hunts[0], "/alerts"));
    let ran = count(&hunts[0], "/rules_loaded");
    let note = format!("{events} events, {megabytes:.1} MB, {ran} rules ran, {alerts} alerts");
    Ok(Report { rows, notes: vec![note] })
}

fn rules(programs: &Programs, runs: usize) -> Result<Report> {
    let few = corpus::few(programs)?;
    let mut report = cost(programs, runs, &corpus::whole(), &few)?;
    let [ratio, ..] = &mut report.rows[..] else { return Ok(report) };
    *ratio = ratio.clone().against(Bar::AtMost(1.4));
    Ok(report)
}

fn tenfold(programs: &Programs, runs: usize) -> Result<Report> {
    let (many, unchanged) = corpus::tenfold(programs)?;
    let mut report = cost(programs, runs, &many, &corpus::whole())?;
    report.notes.push(format!("rules that run in which no constant could be changed: {unchanged}"));
    let [ratio, ..] = &mut report.rows[..] else { return Ok(report) };
    *ratio = ratio.clone().against(Bar::AtMost(2.0));
    Ok(report)
}

/// What many rules cost against few, over the Windows events; loading is left out.
fn cost(programs: &Programs, runs: usize, many: &Path, few: &Path) -> Result<Report> {
    let (events, nothing) = (inputs::windows(programs)?, inputs::one(programs)?);
    let hunt_many = || programs.hunt(many, &events);
    let hunt_few = || programs.hunt(few, &events);
    let load_many = || programs.hunt(many, &nothing);
    let load_few = || programs.hunt(few, &nothing);
    let [many, few, loads_many, loads_few] = in_turns(runs, [&hunt_many, &hunt_few, &load_many, &load_few])?;
    let (loading_many, loading_few) = (median_cpu(&loads_many), median_cpu(&loads_few));
    let name = |runs: &[Run]| format!("{} rules", count(&runs[0], "/rules_loaded"));
    let (name_many, name_few) = (name(&many), name(&few));
    let net_many = many.iter().map(|run| run.cpu_seconds - loading_many);
    let net_few = few.iter().map(|run| run.cpu_seconds - loading_few);
    let rows = vec![
        Row::new(
            format!("{name_many} ÷ {name_few}"),
            net_many.clone().zip(net_few.clone()).map(|(m, f)| m / f),
            "×",
        ),
        Row::new(format!("{name_many}, hunt"), net_many, "CPU s"),
        Row::new(format!("{name_few}, hunt"), net_few, "CPU s"),
        Row::new(format!("{name_many}, loading"), loads_many.iter().map(|run| run.cpu_seconds), "CPU s"),
        Row::new(format!("{name_few}, loading"), loads_few.iter().map(|run| run.cpu_seconds), "CPU s"),
        Row::new(format!("{name_many}, peak memory"), many.iter().map(megabytes), "MB"),
    ];
    let failed = count(&many[0], "/rules_failed") + count(&few[0], "/rules_failed");
    Ok(Report { rows, notes: vec![format!("rules that could not be used: {failed}")] })
}

fn prefilter(programs: &Programs, _: usize) -> Result<Report> {
    let run = programs.hunt(&corpus::whole(), &inputs::windows(programs)?)?;
    let (always, candidates) = (run.number("/prefilter/always_rules"), run.number("/prefilter/candidates"));
    let (Some(always), Some(candidates)) = (always, candidates) else {
        return Ok(Report::note("not reported: `--stats` has no `prefilter`"));
    };
    let rules = count(&run, "/rules_loaded");
    let mean = candidates / count(&run, "/events");
    let rows = vec![
        Row::new("always-list, of the rules", [always / rules * 100.0], "%").against(Bar::AtMost(3.0)),
        Row::new("mean candidates an event, of the rules", [mean / rules * 100.0], "%")
            .against(Bar::AtMost(1.0)),
    ];
    let note = format!("{always} of {rules} rules on the always-list; {mean:.2} candidates an event");
    Ok(Report { rows, notes: vec![note] })
}

fn threads(programs: &Programs, runs: usize) -> Result<Report> {
    if !programs.has_threads {
        return Ok(Report::note("skipped: `maxspan hunt` has no `--threads`"));
    }
    let (rules, events) = (corpus::whole(), inputs::windows(programs)?);
    let one = || programs.hunt_on(1, &rules, &events, &[]);
    let two = || programs.hunt_on(2, &rules, &events, &[]);
    let [ones, twos] = in_turns(runs, [&one, &two])?;
    let seconds = |run: &Run| run.number("/seconds").unwrap_or(f64::NAN);
    let speedup = ones.iter().zip(&twos).map(|(one, two)| seconds(one) / seconds(two));
    let rows = vec![
        Row::new("two threads ÷ one, throughput by the clock", speedup, "×").against(Bar::AtLeast(1.8)),
        Row::new("one thread", ones.iter().map(seconds), "s"),
        Row::new("two threads", twos.iter().map(seconds), "s"),
        Row::new("one thread, whole process", ones.iter().map(|run| run.cpu_seconds), "CPU s"),
        Row::new("two threads, whole process", twos.iter().map(|run| run.cpu_seconds), "CPU s"),
    ];
    Ok(Report { rows, notes: vec!["by the clock: other work on the machine counts against both".to_owned()] })
}

/// The example of the engine says what it did, as JSON: with what is beyond some memory put into a file, as a hunt does
/// it, and with all in memory.
fn sequences(programs: &Programs, runs: usize) -> Result<Report> {
    if !paths::workspace().join("crates/engine/examples/open_keys.rs").is_file() {
        return Ok(Report::note("skipped: the engine has no example `open_keys`"));
    }
    let build = ["build", "--quiet", "--release", "--package", "maxspan-engine", "--example", "open_keys"];
    cargo::check(&mut cargo::command(&build))?;
    let example = programs.target.join("release/examples/open_keys");
    let run =
        |mode: &str| measure::run_and_ask(Command::new(&example).arg(mode), &programs.path("open_keys.json"));
    let [aside, memory] = in_turns(runs, [&|| run("aside"), &|| run("memory")])?;
    let said =
        |runs: &[Run], name: &str| -> Vec<f64> { runs.iter().filter_map(|run| run.number(name)).collect() };
    let rows = vec![
        Row::new("as in a hunt, matches on a core", said(&aside, "/matches_a_second"), "/s")
            .against(Bar::AtLeast(300_000.0)),
        Row::new("as in a hunt, memory with all that is held", said(&aside, "/bytes_a_key"), "bytes a key")
            .against(Bar::AtMost(200.0)),
        Row::new("all in memory, matches on a core", said(&memory, "/matches_a_second"), "/s"),
        Row::new(
            "all in memory, without documents",
            said(&memory, "/bytes_a_key_without_documents"),
            "bytes a key",
        ),
    ];
    let (keys, bytes) = (count(&aside[0], "/keys"), count(&aside[0], "/document_bytes"));
    Ok(Report { rows, notes: vec![format!("{keys} open keys, events of {bytes} bytes")] })
}

fn memory(programs: &Programs, runs: usize) -> Result<Report> {
    let rules = corpus::whole();
    let (once, long) = (inputs::windows(programs)?, inputs::windows_whole(programs)?);
    let hunt = || programs.hunt(&rules, &once);
    let hunt_long = || programs.hunt(&rules, &long);
    let hunt_long_on_two = || programs.hunt_on(2, &rules, &long, &[]);
    let [short, long, two] = in_turns(runs, [&hunt, &hunt_long, &hunt_long_on_two])?;
    let row = |runs: &[Run], more: &str| {
        let what =
            format!("{} events, {:.0} MB{more}", count(&runs[0], "/events"), count(&runs[0], "/bytes") / 1e6);
        Row::new(what, runs.iter().map(megabytes), "MB").against(Bar::AtMost(200.0))
    };
    let mut rows = vec![row(&short, ""), row(&long, "")];
    if programs.has_threads {
        rows.push(row(&two, ", two threads"));
    }
    Ok(Report { rows, notes: vec!["largest resident set of the process".to_owned()] })
}

fn loading(programs: &Programs, runs: usize) -> Result<Report> {
    let (rules, nothing) = (corpus::whole(), inputs::one(programs)?);
    let load = || programs.hunt(&rules, &nothing);
    let [loads] = in_turns(runs, [&load])?;
    let rows = vec![
        Row::new("hunt of one event", loads.iter().map(|run| run.wall_seconds), "s")
            .against(Bar::AtMost(1.0)),
        Row::new("hunt of one event", loads.iter().map(|run| run.cpu_seconds), "CPU s"),
    ];
    let (ran, not) = (count(&loads[0], "/rules_loaded"), count(&loads[0], "/rules_not_run"));
    Ok(Report { rows, notes: vec![format!("{ran} rules ran, {not} are of types that are not run")] })
}

fn first_alert(programs: &Programs, runs: usize) -> Result<Report> {
    let (rules, demo) = (paths::workspace().join("rules"), programs.path("demo.ndjson"));
    let mut command = Command::new(&programs.maxspan);
    measure::run(
        command.args(["demo", "--format", "ndjson", "--events"]).arg(&demo),
        &programs.path("demo.txt"),
    )?;
    let events = shortest_with_alert(programs, &rules, &demo)?;
    let hunt = || programs.hunt(&rules, &events);
    let [hunts] = in_turns(runs, [&hunt])?;
    let rows = vec![
        Row::new("whole process", hunts.iter().map(|run| run.wall_seconds * 1e3), "ms")
            .against(Bar::AtMost(50.0)),
        Row::new("whole process", hunts.iter().map(|run| run.cpu_seconds * 1e3), "CPU ms"),
    ];
    let (events, alerts) = (count(&hunts[0], "/events"), count(&hunts[0], "/alerts"));
    let note =
        format!("{events} events of the demo; alerts, {alerts} here, are written when the process ends");
    Ok(Report { rows, notes: vec![note] })
}

/// The shortest piece of the events that raises an alert: up to the event that completes it, from the last one that it
/// can begin with.
fn shortest_with_alert(programs: &Programs, rules: &Path, whole: &Path) -> Result<PathBuf> {
    let alerts = |begin: usize, end: usize| -> Result<bool> {
        let run = programs.hunt(rules, &inputs::piece(programs, whole, begin, end)?)?;
        Ok(count(&run, "/alerts") > 0.0)
    };
    let end = first(DEMO_EVENTS_MAX, |end| alerts(0, end))?;
    let length = first(end, |length| alerts(end - length, end))?;
    if !alerts(end - length, end)? {
        bail!("our own rules raise no alert over the events of the demo");
    }
    inputs::piece(programs, whole, end - length, end)
}

/// The first number above zero, up to the last one, from which on something holds; the last one where nothing does.
fn first(last: usize, holds: impl Fn(usize) -> Result<bool>) -> Result<usize> {
    let (mut low, mut high) = (1, last);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// A number of the statistics; what is not reported is not a number.
pub(super) fn count(run: &Run, pointer: &str) -> f64 {
    run.number(pointer).unwrap_or(f64::NAN)
}

/// The median of the processor time of some runs.
pub(super) fn median_cpu(runs: &[Run]) -> f64 {
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.cpu_seconds).collect();
    seconds.sort_by(f64::total_cmp);
    median(&seconds)
}

fn megabytes(run: &Run) -> f64 {
    run.peak_bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_first_number_is_found() {
        let check = |last: usize, from: usize, expected: usize| {
            assert_eq!(first(last, |number| Ok(number >= from)).expect("no error"), expected);
        };
        check(8, 1, 1);
        check(8, 6, 6);
        check(8, 8, 8);
        check(8, 9, 8);
    }
}
