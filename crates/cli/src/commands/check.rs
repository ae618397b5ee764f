//! `maxspan rules check`: rules, alone or against events.

mod formats;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;

use indicatif::HumanCount;
use maxspan_diagnostics::{Code, Severity, Source, codes};
use maxspan_eql::Strictness;
use maxspan_pipeline::against::AgainstOptions;
use maxspan_pipeline::check::{Check, CheckOptions, Checked};
use maxspan_pipeline::hunt::HuntOptions;
use maxspan_pipeline::rule_base::RuleBaseOptions;
use maxspan_rules::CompileOptions;
use maxspan_rules::lint::{Allows, Message};

use crate::args::{CheckArguments, CheckFormat};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::lookups;
use crate::output::account::not_run_kinds;
use crate::output::messages::{input_problem, rendered};
use crate::output::summary::counted;
use crate::{pages, terminal, time};

/// Rules whose expected volume is listed.
const VOLUMES_SHOWN_MAX: usize = 20;

pub(crate) fn run(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let outcome = "the outcome";
    if let Some(code) = arguments.explain {
        write(pages::page(code)).map_err(Failure::output(outcome))?;
        return Ok(Exit::Success);
    }
    let checked = check(arguments)?;
    let report = Outcome::new(&checked, arguments.strict);
    let text = match arguments.format {
        CheckFormat::Text => report.text(),
        CheckFormat::Json => formats::json(&report),
        CheckFormat::GitHub => formats::github(&report) + &report.summary() + "\n",
        CheckFormat::Sarif => formats::sarif(&report),
    };
    write(&text).map_err(Failure::output(outcome))?;
    if checked.rules.read == 0 && checked.messages.is_empty() {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    if checked.against.as_ref().is_some_and(|against| against.events == 0) {
        return Ok(Exit::Input);
    }
    Ok(if report.failed > 0 || report.other_failures > 0 { Exit::Rules } else { Exit::Success })
}

fn check(arguments: &CheckArguments) -> Result<Checked, Failure> {
    let allows = allows(arguments)?;
    let mut loaded = load::rules(&arguments.paths, &[], arguments.any_maturity, None)?;
    let folders = lookups::folders(arguments.lookups.lookups.as_deref(), None)?;
    lookups::add_value_lists(&folders, &mut loaded);
    let tables = lookups::tables_of_rules(&folders, &loaded);
    let strictness = if arguments.strict { Strictness::Elasticsearch } else { Strictness::Lenient };
    let now = time::now(None)?;
    let base = RuleBaseOptions {
        schema: load::schema(&arguments.mapping, false)?,
        compile: CompileOptions { now, strictness, tables, ..CompileOptions::default() },
        ..RuleBaseOptions::default()
    };
    let lints = arguments.strict || arguments.lint;
    let mut check = Check::new(loaded, CheckOptions { base, lints, allows });
    let events = &arguments.against;
    if !events.against.is_empty() {
        let mut reader = events::reader(&events.against);
        let default_index = events.index.clone().unwrap_or_default();
        let hunt = HuntOptions { default_index, now, ..HuntOptions::default() };
        check.against(&mut reader, &AgainstOptions { hunt, alerts_per_day_max: events.max_volume });
    }
    let checked = check.finish();
    for problem in checked.against.iter().flat_map(|against| &against.problems) {
        terminal::say(&input_problem(problem));
    }
    Ok(checked)
}

/// What the command line and its files switch off.
fn allows(arguments: &CheckArguments) -> Result<Allows, Failure> {
    let mut allows = Allows::default();
    for entry in &arguments.allow.allow {
        allows.add(entry).map_err(|error| Failure::usage(format!("--allow {entry}: {error}")))?;
    }
    for path in &arguments.allow.allow_file {
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("--allow-file {}: {error}", path.display())))?;
        allows.add_file(&Arc::new(Source::new(path.display().to_string(), text)));
    }
    Ok(allows)
}

fn write(text: &str) -> io::Result<()> {
    let mut writer = BufWriter::new(io::stdout().lock());
    writer.write_all(text.as_bytes())?;
    writer.flush()
}

/// The outcome as it is counted. Every rule counts once: `ok + failed + not_run = rules`.
struct Outcome<'a> {
    checked: &'a Checked,
    ok: usize,
    failed: usize,
    /// Errors (and with `--strict` warnings) that are about no rule: unreadable files, exception lists.
    other_failures: usize,
}

impl<'a> Outcome<'a> {
    fn new(checked: &'a Checked, strict: bool) -> Self {
        let Checked { rules, messages, .. } = checked;
        let failures = || messages.iter().filter(|message| Checked::fails(message, strict));
        let of_rules: BTreeSet<&str> =
            failures().filter_map(|(_, diagnostic)| diagnostic.rule_id.as_deref()).collect();
        // Rules that run, or would, but have warnings where these count.
        let warned = rules.documents.iter().filter(|rule| of_rules.contains(rule.rule_id.as_str())).count();
        Self {
            checked,
            ok: rules.rule_set.len() - warned,
            failed: rules.failed + warned,
            other_failures: failures().filter(|(_, diagnostic)| is_about_none(checked, diagnostic)).count(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let shown = self.checked.messages.iter().filter(|(_, one)| one.code != codes::RULE_NOT_RUN);
        for (source, diagnostic) in shown {
            text += &rendered(source, diagnostic);
            text += "\n\n";
        }
        text += &self.volume();
        text += &self.by_code();
        text + &self.summary() + "\n"
    }

    /// What is to be expected of rules, where they were compared with events.
    fn volume(&self) -> String {
        let Some(against) = &self.checked.against else { return String::new() };
        let events = counted(against.events, "event");
        let time = match (&against.first, &against.last) {
            (Some(first), Some(last)) => format!(" from {first} to {last}, {}", against.length()),
            _ => String::new(),
        };
        let mut text = format!("Against {events}{time}:\n");
        for volume in against.volume.iter().take(VOLUMES_SHOWN_MAX) {
            let at_least = if volume.capped { "≥" } else { "" };
            let per_day = volume.per_day.map_or("?".to_owned(), |per_day| {
                if per_day > 0.0 && per_day < 0.05 {
                    "<0.1".to_owned()
                } else {
                    format!("{at_least}{per_day:.1}")
                }
            });
            text += &format!("{per_day:>10} a day  {}\n", terminal::printable(&volume.name));
        }
        if against.volume.is_empty() {
            text += "  no alerts\n";
        }
        match against.volume.len().saturating_sub(VOLUMES_SHOWN_MAX) as u64 {
            0 => {}
            more => text += &format!("  and {} with fewer\n", counted(more, "rule")),
        }
        text + "\n"
    }

    /// How often each code is there, with its name.
    fn by_code(&self) -> String {
        let mut counts: BTreeMap<u16, (Code, u64)> = BTreeMap::new();
        for (_, diagnostic) in &self.checked.messages {
            counts.entry(diagnostic.code.info().number).or_insert((diagnostic.code, 0)).1 += 1;
        }
        let lines = counts.values().map(|(code, count)| {
            format!("{:>7}  {code} {}\n", HumanCount(*count).to_string(), code.info().name)
        });
        lines.collect()
    }

    fn summary(&self) -> String {
        let rules = &self.checked.rules;
        let count = |count: usize| HumanCount(count as u64);
        let read = counted(rules.read as u64, "rule");
        let mut parts = vec![format!("{read}: {} ok, {} failed", count(self.ok), count(self.failed))];
        if !rules.not_run.is_empty() {
            let kinds = not_run_kinds(rules);
            parts.push(format!("{} not run yet ({kinds})", count(rules.not_run.len())));
        }
        for (severity, noun) in
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        {
            let of_severity =
                |(_, one): &&Message| one.severity() == severity && one.code != codes::RULE_NOT_RUN;
            match self.checked.messages.iter().filter(of_severity).count() as u64 {
                0 => {}
                count => parts.push(counted(count, noun)),
            }
        }
        parts.join(", ")
    }
}

/// Whether no rule that is counted stands for the message: it names none, or one that was read but is not run.
fn is_about_none(checked: &Checked, diagnostic: &maxspan_diagnostics::Diagnostic) -> bool {
    let Some(id) = diagnostic.rule_id.as_deref() else { return true };
    let warned = !diagnostic.is_error();
    warned && checked.rules.not_run.iter().any(|rule| rule.rule_id == id)
}
