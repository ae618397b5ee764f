//! `maxspan rules coverage`: what rules are mapped to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use maxspan_pipeline::input::{Item, ProblemKind};
use maxspan_rules::alert::source::get_in;
use maxspan_rules::coverage::{ATLAS, ATTACK, Coverage, coverage, navigator_layer};
use serde_json::{Map, Value};

use super::list::chosen_rules;
use crate::args::catalog::{CoverageArguments, CoverageFormat, LayerFramework};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::output::Writer;
use crate::output::coverage::{csv, markdown, write_table};
use crate::output::messages::{Messages, input_problem};
use crate::output::summary::counted;
use crate::output::table::Look;
use crate::terminal::{self, Paint};

pub(crate) fn run(arguments: &CoverageArguments) -> Result<Exit, Failure> {
    let rules = chosen_rules(&arguments.paths, &arguments.filters, &arguments.loading)?;
    let alerts = arguments.alerts.as_deref().map(alerts_by_rule).transpose()?;
    let found = coverage(&rules, alerts.as_ref());
    if let Some(alerts) = &alerts {
        report_others(&found, &rules, alerts);
    }
    let layer = match arguments.format {
        CoverageFormat::Navigator => Some(layer(&found, arguments)?),
        _ => None,
    };
    let writer: Writer = match &arguments.output {
        Some(path) => {
            let name = format!("the coverage to {}", path.display());
            Box::new(BufWriter::new(File::create(path).map_err(Failure::output(&name))?))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    };
    write(writer, &found, layer.as_ref(), arguments).map_err(Failure::output("the coverage"))?;
    Ok(Exit::Success)
}

fn write(
    mut writer: Writer,
    found: &Coverage,
    layer: Option<&Value>,
    arguments: &CoverageArguments,
) -> io::Result<()> {
    let to_file = arguments.output.is_some();
    match arguments.format {
        CoverageFormat::Table => {
            let look = Look::new(if to_file { Paint::none() } else { Paint::stdout() }, to_file);
            write_table(&mut writer, found, look, arguments.verbose)?;
        }
        CoverageFormat::Markdown => write!(writer, "{}", markdown(found, arguments.verbose))?,
        CoverageFormat::Csv => write!(writer, "{}", csv(found, arguments.verbose))?,
        CoverageFormat::Json => {
            serde_json::to_writer_pretty(&mut writer, found)?;
            writeln!(writer)?;
        }
        CoverageFormat::Navigator => {
            serde_json::to_writer_pretty(&mut writer, &layer)?;
            writeln!(writer)?;
        }
    }
    writer.flush()
}

/// The layer of the framework that was asked for. Rules of another framework are counted on standard error.
fn layer(found: &Coverage, arguments: &CoverageArguments) -> Result<Value, Failure> {
    let name = match arguments.framework {
        LayerFramework::Attack => ATTACK,
        LayerFramework::Atlas => ATLAS,
    };
    for other in found.frameworks.iter().filter(|framework| framework.name != name) {
        let count = counted(other.rules as u64, "rule");
        terminal::say(&format!("{count} mapped to {} not in this layer", other.name));
    }
    let framework = found.frameworks.iter().find(|framework| framework.name == name);
    let framework = framework.ok_or_else(|| Failure::usage(format!("no rule is mapped to {name}")))?;
    let paths: Vec<String> = arguments.paths.iter().map(|path| last_part(path)).collect();
    Ok(navigator_layer(found, framework, &format!("maxspan: {}", paths.join(", "))))
}

fn last_part(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Counts alerts by rule id, building blocks left out. The file may be anything that events may be.
fn alerts_by_rule(path: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut problems = Messages::new("problem");
    let mut others = 0;
    for item in events::reader([path]) {
        let event = match item {
            Item::Event(event) => event,
            // A hunt without alerts writes an empty file.
            Item::Problem(problem) if problem.kind == ProblemKind::Empty => continue,
            Item::Problem(problem) => {
                problems.next(|| input_problem(&problem)).into_iter().for_each(|line| terminal::say(&line));
                continue;
            }
        };
        let alert: Map<String, Value> = serde_json::from_slice(&event.source).unwrap_or_default();
        // Alerts of a rule of building blocks count; those that belong to the alert of a sequence do not.
        let is_block = get_in(&alert, "kibana.alert.group.index").is_some_and(Value::is_number);
        match get_in(&alert, "kibana.alert.rule.rule_id").and_then(Value::as_str) {
            Some(_) if is_block => {}
            Some(rule_id) => *counts.entry(rule_id.to_owned()).or_default() += 1,
            None => others += 1,
        }
    }
    problems.rest().into_iter().for_each(|line| terminal::say(&line));
    if counts.is_empty() && problems.count() > 0 {
        return Err(Failure::input(format!("no alert could be read from {}", path.display())));
    }
    if others > 0 {
        terminal::warning(&format!("{} of {} are no alerts", counted(others, "document"), path.display()));
    }
    Ok(counts)
}

/// Says how many alerts are of rules that are not in the list.
fn report_others(found: &Coverage, rules: &[maxspan_rules::RuleDocument], alerts: &BTreeMap<String, u64>) {
    let known = |rule_id: &String| rules.iter().any(|rule| rule.rule_id == *rule_id);
    let others: u64 = alerts.iter().filter(|(rule_id, _)| !known(rule_id)).map(|(_, count)| count).sum();
    if others > 0 {
        let count = counted(others, "alert");
        terminal::warning(&format!(
            "{count} of other rules than these {}",
            counted(found.rules as u64, "rule")
        ));
    }
}
