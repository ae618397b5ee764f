//! The one rule that an argument names: by a file that holds it, or by its id or name among others.

use std::path::{Path, PathBuf};

use maxspan_diagnostics::nearest_names;
use maxspan_rules::listing::is_named;
use maxspan_rules::{LoadedRules, RuleDocument};

use crate::exit::Failure;
use crate::load;
use crate::output::messages::print_diagnostics;

/// Rules that are named where a name fits several.
const NAMED_MAX: usize = 20;

/// The rule of this file; `command` is whose argument it is.
pub(crate) fn in_file(wanted: &str, lock: Option<&Path>, command: &str) -> Result<RuleDocument, Failure> {
    if !Path::new(wanted).exists() {
        let message =
            format!("`{wanted}` is no file; to look for a rule by id or name, say where: --rules PATH");
        return Err(Failure::usage(message));
    }
    only_rule(load::rules(&[PathBuf::from(wanted)], &[], true, lock)?, wanted, command)
}

/// The rule of this id or name; where there is none, the only one whose name has these words.
pub(crate) fn named(loaded: &LoadedRules, wanted: &str) -> Result<RuleDocument, Failure> {
    let failed = loaded.counts.rules_failed;
    let exact: Vec<usize> = positions(&loaded.rules, |rule| is_named(rule, wanted));
    let lower = wanted.to_lowercase();
    let within = || positions(&loaded.rules, |rule| rule.name.to_lowercase().contains(&lower));
    let found = if exact.is_empty() { within() } else { exact };
    if let [only] = found.as_slice() {
        return Ok(loaded.rules[*only].clone());
    }
    if !found.is_empty() {
        let several = names(found.iter().map(|index| &loaded.rules[*index]));
        return Err(Failure::usage(format!("`{wanted}` fits {} rules:\n{several}", found.len())));
    }
    let known = loaded.rules.iter().map(|rule| rule.name.as_str());
    let near = nearest_names(wanted, known);
    let help = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let broken = if failed > 0 { format!(" ({failed} could not be read)") } else { String::new() };
    Err(Failure::usage(format!("no rule has the id or name `{wanted}`{help}{broken}")))
}

/// The rule of a file that holds one.
fn only_rule(loaded: LoadedRules, path: &str, command: &str) -> Result<RuleDocument, Failure> {
    let count = loaded.rules.len();
    if count > 1 {
        let message =
            format!("{path} holds {count} rules; say which: maxspan rules {command} ID|NAME --rules {path}");
        return Err(Failure::usage(format!("{message}\n{}", names(loaded.rules.iter()))));
    }
    if loaded.counts.rules_failed > 0 {
        print_diagnostics("error", loaded.diagnostics().filter(|(_, diagnostic)| diagnostic.is_error()));
        return Err(Failure::rules(format!("the rule of {path} cannot be read")));
    }
    loaded.rules.into_iter().next().ok_or_else(|| Failure::usage(format!("there is no rule in {path}")))
}

fn positions(rules: &[RuleDocument], wanted: impl Fn(&RuleDocument) -> bool) -> Vec<usize> {
    rules.iter().enumerate().filter(|(_, rule)| wanted(rule)).map(|(index, _)| index).collect()
}

fn names<'a>(rules: impl ExactSizeIterator<Item = &'a RuleDocument>) -> String {
    let more = rules.len().saturating_sub(NAMED_MAX);
    let mut lines: Vec<String> =
        rules.take(NAMED_MAX).map(|rule| format!("  {}  {}", rule.rule_id, rule.name)).collect();
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    lines.join("\n")
}
