//! Rule documents to a rule set: choose, compile, and keep account of what cannot be run.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, codes};
pub use maxspan_engine::Selectivity;
use maxspan_engine::{RuleId, RuleSet, RuleSetBuilder};
use maxspan_event::Schema;
use maxspan_rules::{
    Columns, CompileOptions, Compiled, LoadedRules, Outcome, RowsQuery, RuleDocument, RuleType, Runs, compile,
};

/// How a rule base is made.
#[derive(Debug, Clone)]
pub struct RuleBaseOptions {
    /// Types of fields.
    pub schema: Schema,
    /// How rules are compiled.
    pub compile: CompileOptions,
    /// Derive fields that older shippers leave out.
    pub normalize: bool,
    /// Only rules with one of these ids or names; all when empty.
    pub only: Vec<String>,
    /// What the prefilter chooses its anchors by; it changes how long a run takes, never its alerts.
    pub selectivity: Selectivity,
}

impl Default for RuleBaseOptions {
    fn default() -> Self {
        Self {
            schema: Schema::built_in(),
            compile: CompileOptions::default(),
            normalize: true,
            only: Vec::new(),
            selectivity: Selectivity::default(),
        }
    }
}

/// What became of the rules of a run.
#[derive(Debug)]
pub struct RuleBase {
    /// The rules that run.
    pub rule_set: RuleSet,
    /// Their documents, by rule id.
    pub documents: Vec<RuleDocument>,
    /// Rules that were read, whatever became of them.
    pub read: usize,
    /// Rules that cannot be run.
    pub failed: usize,
    /// Rules that are sound but not run yet, and why.
    pub not_run: Vec<NotRun>,
    /// Documents of rules that are sound but not run yet, in the order of `not_run`.
    pub not_run_documents: Vec<RuleDocument>,
    /// Documents of rules that could be read and not compiled.
    pub failed_documents: Vec<RuleDocument>,
    /// Exception items that could not be loaded.
    pub exceptions_failed: usize,
    /// Exception items that cannot be applied to a rule that names them: a value list is missing, or a value cannot be
    /// held by its field.
    pub exceptions_not_applied: usize,
    /// Rule files that could not be read.
    pub files_failed: usize,
    /// Exception items that apply to none of the rules.
    pub exceptions_unused: usize,
    /// How many rules of each type were read.
    pub by_type: BTreeMap<&'static str, usize>,
    /// Names or ids of [`RuleBaseOptions::only`] that no rule has.
    pub unknown: Vec<String>,
    /// All messages, with the texts they are about.
    pub diagnostics: Vec<(Arc<Source>, Diagnostic)>,
    /// The schema that the rules were compiled with.
    pub schema: Schema,
    /// The window that the rules were compiled with ([`CompileOptions::window`]).
    pub window: Option<(i64, i64)>,
    /// When the rules run ([`CompileOptions::runs`]).
    pub runs: Runs,
    /// By the number of the rule, the queries of ES|QL rules.
    rows_queries: BTreeMap<u32, Arc<RowsQuery>>,
}

/// A rule that is not run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun {
    /// The rule's id.
    pub rule_id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub rule_type: RuleType,
    /// Why it is not run.
    pub reason: String,
}

impl RuleBase {
    /// Compiles what was loaded. A rule that cannot be compiled does not stop the others.
    pub fn new(loaded: LoadedRules, options: &RuleBaseOptions) -> Self {
        let LoadedRules { rules, exceptions, value_lists, problems, counts } = loaded;
        let mut builder = RuleSetBuilder::new(options.schema.clone());
        builder.selectivity = options.selectivity.clone();
        let mut base =
            Accounts { failed: counts.rules_failed, read: counts.rules_failed, ..Accounts::default() };
        for (source, diagnostics) in problems {
            base.diagnostics
                .extend(diagnostics.into_iter().map(|diagnostic| (Arc::clone(&source), diagnostic)));
        }
        let exceptions_unused = exceptions.unused(&rules).count();
        let unknown = unknown_names(&rules, &options.only);
        let columns = Columns::default();
        for rule in rules.into_iter().filter(|rule| chosen(rule, &options.only)) {
            let before = builder.fields.mark();
            let compiled =
                compile(&rule, &exceptions, &value_lists, &mut builder, &columns, &options.compile);
            if !matches!(compiled.outcome, Outcome::Ready(_)) {
                builder.fields.forget_since(before);
            }
            base.add(rule, compiled, &mut builder);
        }
        let Accounts {
            documents,
            read,
            failed,
            not_run,
            not_run_documents,
            failed_documents,
            by_type,
            diagnostics,
            rows_queries,
        } = base;
        let rule_set = builder.build(options.normalize);
        let diagnostics = once(diagnostics);
        let not_applied = [codes::EXCEPTION_NOT_APPLIED, codes::VALUE_LIST_MISSING];
        Self {
            rule_set,
            documents,
            read,
            failed,
            not_run,
            not_run_documents,
            failed_documents,
            exceptions_failed: counts.exceptions_failed,
            exceptions_unused,
            by_type,
            unknown,
            exceptions_not_applied: diagnostics
                .iter()
                .filter(|(_, one)| not_applied.contains(&one.code))
                .count(),
            files_failed: counts.files_failed,
            diagnostics,
            schema: options.schema.clone(),
            window: options.compile.window,
            runs: options.compile.runs,
            rows_queries,
        }
    }

    /// The document of a rule that runs.
    pub fn document(&self, rule: RuleId) -> &RuleDocument {
        &self.documents[rule.0 as usize]
    }

    /// The query of an ES|QL rule; none for other rules.
    pub fn rows_query(&self, rule: RuleId) -> Option<&RowsQuery> {
        self.rows_queries.get(&rule.0).map(|query| &**query)
    }

    /// Messages that are errors.
    pub fn errors(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        self.diagnostics
            .iter()
            .filter(|(_, diagnostic)| diagnostic.is_error())
            .map(|(source, diagnostic)| (&**source, diagnostic))
    }

    /// Messages, but for those that only say that a rule type is not run yet.
    pub fn messages(&self) -> impl Iterator<Item = (&Source, &Diagnostic)> {
        let wanted = |found: &&(Arc<Source>, Diagnostic)| found.1.code != codes::RULE_NOT_RUN;
        self.diagnostics.iter().filter(wanted).map(|(source, diagnostic)| (&**source, diagnostic))
    }
}

/// Each message once: an exception item that many rules use says what is wrong with it for each.
fn once(diagnostics: Vec<(Arc<Source>, Diagnostic)>) -> Vec<(Arc<Source>, Diagnostic)> {
    let mut seen = HashSet::new();
    let key = |source: &Arc<Source>, one: &Diagnostic| {
        (Arc::as_ptr(source) as usize, one.span, one.code.to_string(), one.message.clone())
    };
    diagnostics.into_iter().filter(|(source, one)| seen.insert(key(source, one))).collect()
}

#[derive(Default)]
struct Accounts {
    documents: Vec<RuleDocument>,
    read: usize,
    failed: usize,
    not_run: Vec<NotRun>,
    not_run_documents: Vec<RuleDocument>,
    failed_documents: Vec<RuleDocument>,
    by_type: BTreeMap<&'static str, usize>,
    diagnostics: Vec<(Arc<Source>, Diagnostic)>,
    rows_queries: BTreeMap<u32, Arc<RowsQuery>>,
}

impl Accounts {
    /// Puts a rule where its outcome belongs.
    fn add(&mut self, rule: RuleDocument, compiled: Compiled, builder: &mut RuleSetBuilder) {
        self.read += 1;
        *self.by_type.entry(rule.rule_type().name()).or_default() += 1;
        self.diagnostics.extend(compiled.diagnostics);
        match compiled.outcome {
            Outcome::Ready(ready) => {
                let number = self.documents.len() as u32;
                self.rows_queries.extend(compiled.rows_query.map(|query| (number, query)));
                builder.add(*ready);
                self.documents.push(rule);
            }
            Outcome::Failed => {
                self.failed += 1;
                self.failed_documents.push(rule);
            }
            Outcome::NotRun(reason) => {
                self.not_run.push(NotRun {
                    rule_type: rule.rule_type(),
                    rule_id: rule.rule_id.clone(),
                    name: rule.name.clone(),
                    reason,
                });
                self.not_run_documents.push(rule);
            }
        }
    }
}

fn chosen(rule: &RuleDocument, only: &[String]) -> bool {
    only.is_empty()
        || only.iter().any(|wanted| *wanted == rule.rule_id || wanted.eq_ignore_ascii_case(&rule.name))
}

fn unknown_names(rules: &[RuleDocument], only: &[String]) -> Vec<String> {
    let known = |wanted: &&String| !rules.iter().any(|rule| chosen(rule, std::slice::from_ref(*wanted)));
    only.iter().filter(known).cloned().collect()
}
