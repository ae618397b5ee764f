//! `maxspan rules list`: one rule a line.

use maxspan_rules::document::{Language, RuleSeverity, RuleType};
use maxspan_rules::listing::{RuleFacts, RuleFilter, RuleOrder, sort_rules};
use maxspan_rules::{LoadedRules, RuleDocument};

use crate::args::catalog::{Filters, ListArguments, ListOrder, Loading};
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::list;
use crate::output::summary::counted;
use crate::terminal;

pub(crate) fn run(arguments: &ListArguments) -> Result<Exit, Failure> {
    let mut rules = chosen_rules(&arguments.paths, &arguments.filters, &arguments.loading)?;
    sort_rules(&mut rules, order(arguments.sort));
    if arguments.reverse {
        rules.reverse();
    }
    let facts: Vec<RuleFacts> = rules.iter().map(RuleFacts::new).collect();
    list::write(&facts, arguments.format, &arguments.columns).map_err(Failure::output("the list"))?;
    Ok(Exit::Success)
}

fn order(order: ListOrder) -> RuleOrder {
    match order {
        ListOrder::Name => RuleOrder::Name,
        ListOrder::Severity => RuleOrder::Severity,
        ListOrder::Risk => RuleOrder::Risk,
        ListOrder::Updated => RuleOrder::Updated,
        ListOrder::Id => RuleOrder::Id,
        ListOrder::Type => RuleOrder::Type,
    }
}

/// The rules of the paths that the filters choose. What could not be read is counted on standard error; that
/// nothing is left is said there too.
pub(crate) fn chosen_rules(
    paths: &[std::path::PathBuf],
    filters: &Filters,
    loading: &Loading,
) -> Result<Vec<RuleDocument>, Failure> {
    // Who asks for a maturity wants to see rules of it.
    let any_maturity = loading.any_maturity || !filters.maturity.is_empty();
    let loaded = load::rules(paths, &[], any_maturity, loading.version_lock.as_deref())?;
    report(&loaded);
    let read = loaded.rules.len();
    let filter = filter(filters);
    let rules: Vec<_> = loaded.rules.into_iter().filter(|rule| filter.accepts(rule)).collect();
    if read == 0 && loaded.counts.rules_failed == 0 {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    if rules.is_empty() {
        terminal::say(&format!("none of {} fits the filters", counted(read as u64, "rule")));
    }
    Ok(rules)
}

/// Says how many rules are left out, and why.
pub(crate) fn report(loaded: &LoadedRules) {
    let counts = &loaded.counts;
    let failed = counts.rules_failed + counts.files_failed;
    if failed > 0 {
        let count = counted(failed as u64, "rule or file");
        let count = count.replace("rule or files", "rules or files");
        terminal::warning(&format!("{count} could not be read (`maxspan rules check` shows why)"));
    }
    let duplicates = counts.skipped.duplicates as u64;
    if duplicates > 0 {
        terminal::warning(&format!("{} left out: their ids are taken", counted(duplicates, "document")));
    }
    let immature = (counts.skipped.immature_rules + counts.skipped.deprecated_rules) as u64;
    if immature > 0 {
        terminal::say(&format!(
            "{} in development or deprecated left out (--any-maturity shows them)",
            counted(immature, "rule")
        ));
    }
}

fn filter(filters: &Filters) -> RuleFilter {
    let severity = |name: &String| RuleSeverity::from_name(name);
    let language = |name: &String| Language::from_name(if name == "kql" { "kuery" } else { name });
    RuleFilter {
        types: filters.types.iter().filter_map(|name| RuleType::from_name(name)).collect(),
        languages: filters.language.iter().filter_map(language).collect(),
        severities: filters.severity.iter().filter_map(severity).collect(),
        min_severity: filters.min_severity.as_ref().and_then(severity),
        min_risk: filters.min_risk,
        tags: filters.tag.clone(),
        tactics: filters.tactic.clone(),
        techniques: filters.technique.clone(),
        indices: filters.index.clone(),
        systems: filters.os.clone(),
        integrations: filters.integration.clone(),
        maturities: filters.maturity.clone(),
        texts: filters.text.clone(),
        fields: filters.field.clone(),
        rules: filters.rule.clone(),
        enabled: match (filters.enabled, filters.disabled) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    }
}
