//! Lookup tables that the arguments name, and what commands take of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxspan_esql::run::Tables;
use maxspan_pipeline::lookups::load::LoadOptions;
use maxspan_pipeline::lookups::{
    IndicatorTable, LoadAccount, LookupError, LookupErrorKind, LookupFolders, Lookups, TableKind,
    indicators_of_files,
};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_rules::document::Language;
use maxspan_rules::load::LoadedExceptions;
use maxspan_rules::{LoadedRules, RuleDocument};

use crate::exit::{Exit, Failure};
use crate::output::summary::counted;
use crate::terminal;

/// The tables of a folder that the arguments name, and of a store; those of the folder come first. Those of a store at a URL are
/// not read: they are kept in folders alone.
pub(crate) fn folders(lookups: Option<&Path>, store: Option<&str>) -> Result<LookupFolders, Failure> {
    if let Some(path) = lookups.filter(|path| !path.is_dir()) {
        return Err(Failure::usage(format!("lookups {}: there is no such folder", path.display())));
    }
    let named = lookups.map(Lookups::at);
    let folders: Vec<Lookups> = named.into_iter().chain(store.and_then(Lookups::of_store)).collect();
    let (folders, problems) = LookupFolders::list(&folders).map_err(failure)?;
    warn(&problems);
    Ok(folders)
}

/// Adds value lists to what was loaded.
pub(crate) fn add_value_lists(folders: &LookupFolders, loaded: &mut LoadedRules) {
    let mut problems = Vec::new();
    let value_lists = folders.value_lists(&mut problems);
    warn(&problems);
    loaded.merge(LoadedExceptions { value_lists, ..LoadedExceptions::default() });
}

/// The tables that ES|QL rules name.
pub(crate) fn tables_of_rules(folders: &LookupFolders, loaded: &LoadedRules) -> Arc<Tables> {
    let is_esql = |rule: &&RuleDocument| rule.language == Some(Language::Esql);
    let queries: Vec<&str> = loaded.rules.iter().filter(is_esql).map(|rule| rule.query.as_str()).collect();
    tables(folders, &queries)
}

/// The tables that ES|QL queries name.
pub(crate) fn tables(folders: &LookupFolders, queries: &[&str]) -> Arc<Tables> {
    let trees: Vec<_> = queries.iter().map(|query| maxspan_esql::parse(query).0).collect();
    let names: Vec<&str> = trees.iter().flat_map(|tree| tree.lookup_names()).collect();
    let mut problems = Vec::new();
    let tables = folders.tables(&names, &mut problems);
    warn(&problems);
    Arc::new(tables)
}

/// What indicator match rules look for, beside what is among the events.
#[derive(Debug, Default)]
pub(crate) struct Indicators {
    /// Files that the reader of events takes.
    pub(crate) files: Vec<PathBuf>,
    /// Tables of lookups, and files of CSV and STIX.
    pub(crate) tables: Vec<Arc<IndicatorTable>>,
    /// Tables that no rule looks at.
    pub(crate) unused: Vec<String>,
}

/// Reads the indicators that the rules look for.
pub(crate) fn indicators(
    folders: &LookupFolders,
    paths: &[PathBuf],
    rules: &RuleBase,
    now: i64,
) -> Indicators {
    let patterns: Vec<_> = rules.rule_set.rules().filter_map(|(_, rule)| rule.indicator_indices()).collect();
    let wanted = |name: &str| patterns.iter().any(|patterns| patterns.matches(name));
    let mut problems = Vec::new();
    let (mut tables, mut unused) = folders.indicators(wanted, &mut problems);
    if patterns.is_empty() {
        // No rule looks for any: nothing is missed.
        unused.clear();
    }
    warn(&problems);
    let options = LoadOptions {
        kind: TableKind::Indicators,
        format: None,
        value_type: None,
        types: Vec::new(),
        match_field: None,
        schema: rules.schema.clone(),
        now,
    };
    let (more, files, account, problems) = indicators_of_files(paths, &options);
    // One feed that cannot be read does not stop the others, nor the hunt.
    for problem in &problems {
        terminal::error(&problem.to_string());
    }
    say_account(&account);
    tables.extend(more);
    Indicators { files, tables: tables.into_iter().map(Arc::new).collect(), unused }
}

/// Says what of files could not be used.
pub(crate) fn say_account(account: &LoadAccount) {
    for problem in &account.problems {
        terminal::warning(&format!("{}: {}", problem.place, problem.message));
    }
    let more = account.failed - account.problems.len() as u64;
    if more > 0 {
        terminal::warning(&format!("… and {} more that cannot be used", counted(more, "row")));
    }
    for (what, count) in &account.not_expressed {
        let patterns = counted(*count, "alternative");
        terminal::warning(&format!("{patterns} of STIX patterns not expressed: {what}"));
    }
    let others = account.other_objects.iter().map(|(kind, count)| format!("{kind} {count}"));
    let others: Vec<String> = others.collect();
    if !others.is_empty() {
        terminal::warning(&format!("STIX objects that are no indicators: {}", others.join(", ")));
    }
    if account.revoked > 0 {
        terminal::warning(&format!("{} left out: revoked", counted(account.revoked, "indicator")));
    }
    if account.expired > 0 {
        let expired = counted(account.expired, "indicator");
        terminal::warning(&format!("{expired} whose `valid_until` is over (they are used)"));
    }
}

fn warn(problems: &[LookupError]) {
    for problem in problems {
        terminal::warning(&problem.to_string());
    }
}

/// An error about tables as the end of a command.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn failure(error: LookupError) -> Failure {
    match error.kind {
        LookupErrorKind::Usage => Failure::usage(error.to_string()),
        LookupErrorKind::Damaged | LookupErrorKind::Input => Failure::input(error.to_string()),
        LookupErrorKind::Output => Failure { exit: Exit::Output, error: anyhow::Error::new(error) },
    }
}
