//! The rules of a case, compiled; what several cases share is read and compiled once for a run.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use maxspan_diagnostics::{Diagnostic, Source, Span};
use maxspan_engine::Selectivity;
use maxspan_event::Schema;
use maxspan_rules::document::Origin;
use maxspan_rules::{
    LoadOptions, LoadedExceptions, LoadedRules, ParsedFile, TomlOptions, joined, load_parsed, parse_json,
    parse_ndjson, parse_toml,
};
use serde_json::{Value, json};

use super::document::{Block, ExceptionSource, QueryRule, RuleFormat, RuleSource, Setup};
use super::files::SpecFiles;
use super::options::SpecOptions;
use crate::limits::{SPEC_PADDING_MAX, SPEC_RULE_BASES_MAX};
use crate::rule_base::{RuleBase, RuleBaseOptions};

/// Compiled rules, and where those of the spec itself stand.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) base: RuleBase,
    /// Texts of blocks, with the first line of each in its text as messages count it.
    pub(super) blocks: Vec<(Arc<Source>, usize)>,
    /// Rules that were left out because of their maturity.
    pub(super) immature: usize,
    /// What the rule base was made of.
    pub(super) loaded: LoadedRules,
}

/// Why there are no rules to run.
pub(super) type Unusable = String;

/// Everything that was read and compiled in a run.
pub(super) struct Library<'a> {
    files: &'a dyn SpecFiles,
    schema: Schema,
    /// Rules of cases that name none.
    fallback: Option<PathBuf>,
    rules: Shared<(PathBuf, bool), Arc<LoadedRules>>,
    exceptions: Shared<PathBuf, Arc<LoadedExceptions>>,
    bases: Shared<String, Result<Arc<Built>, Unusable>>,
}

impl<'a> Library<'a> {
    pub(super) fn new(files: &'a dyn SpecFiles, schema: Schema, fallback: Option<PathBuf>) -> Self {
        Self {
            files,
            schema,
            fallback,
            rules: Shared::new(usize::MAX),
            exceptions: Shared::new(usize::MAX),
            bases: Shared::new(SPEC_RULE_BASES_MAX),
        }
    }

    /// The rule base of a set-up in the spec `file`.
    pub(super) fn base(&self, setup: &Setup, file: &str) -> Result<Arc<Built>, Unusable> {
        self.bases.get(key(setup, file), || self.build(setup, file).map(Arc::new))
    }

    fn build(&self, setup: &Setup, file: &str) -> Result<Built, Unusable> {
        let default = SpecOptions::default();
        let options = setup.options.as_deref().unwrap_or(&default);
        let load = LoadOptions { any_maturity: options.any_maturity, ..LoadOptions::default() };
        let mut blocks = Vec::new();
        let mut loads = Vec::new();
        for rule in &*setup.rules {
            loads.push(match rule {
                RuleSource::Link(link) => self.linked_rules(&link.path, &load)?,
                RuleSource::Text { block, format } => {
                    let (source, _) = block_source(block, file, &mut blocks);
                    load_parsed(&source, parsed(&source, *format, &load), &load)
                }
                RuleSource::Query(query) => {
                    let (source, start) = block_source(&query.block, file, &mut blocks);
                    load_parsed(&source, query_rule(query, &source, start), &load)
                }
            });
        }
        if let (true, Some(fallback)) = (setup.rules.is_empty(), &self.fallback) {
            loads.push(self.linked_rules(fallback, &load)?);
        }
        let mut loaded = joined(loads, &load);
        for source in &*setup.exceptions {
            loaded.merge(self.exceptions(source, file, &load, &mut blocks)?);
        }
        let immature = loaded.counts.skipped.immature_rules;
        let schema = self.schema(setup.mapping.as_ref(), file)?;
        let base_options = RuleBaseOptions {
            schema,
            compile: options.compile.clone(),
            normalize: options.normalize,
            only: Vec::new(),
            selectivity: Selectivity::default(),
        };
        Ok(Built { base: RuleBase::new(loaded.clone(), &base_options), blocks, immature, loaded })
    }

    fn linked_rules(&self, path: &Path, options: &LoadOptions) -> Result<LoadedRules, Unusable> {
        if let Some(problem) = self.files.problem(path) {
            return Err(format!("rules {}: {problem}", path.display()));
        }
        let key = (path.to_owned(), options.any_maturity);
        let loaded = self.rules.get(key, || Arc::new(self.files.rules(path, options)));
        Ok((*loaded).clone())
    }

    fn exceptions(
        &self,
        source: &ExceptionSource,
        file: &str,
        options: &LoadOptions,
        blocks: &mut Vec<(Arc<Source>, usize)>,
    ) -> Result<LoadedExceptions, Unusable> {
        match source {
            ExceptionSource::Link(link) => {
                if let Some(problem) = self.files.problem(&link.path) {
                    return Err(format!("exceptions {}: {problem}", link.path.display()));
                }
                let path = link.path.clone();
                let loaded = self.exceptions.get(path, || Arc::new(self.files.exceptions(&link.path)));
                Ok((*loaded).clone())
            }
            ExceptionSource::Text { block, format } => {
                let (source, _) = block_source(block, file, blocks);
                let loaded = load_parsed(&source, parsed(&source, *format, options), options);
                let LoadedRules { exceptions, value_lists, problems, counts, .. } = loaded;
                Ok(LoadedExceptions { exceptions, value_lists, problems, counts })
            }
        }
    }

    fn schema(&self, mapping: Option<&Block>, file: &str) -> Result<Schema, Unusable> {
        let Some(block) = mapping else { return Ok(self.schema.clone()) };
        self.schema.with_mapping(&block.text).map_err(|error| {
            let line = block.line + error.line.max(1) - 1;
            format!("{file}:{line}: the mapping cannot be used: {}", error.message)
        })
    }
}

/// Set-ups with one key have the same rules: links by path, blocks by their place.
fn key(setup: &Setup, file: &str) -> String {
    let mut key = String::new();
    let block = |block: &Block| format!("{file}@{}\n", block.span.start);
    for rule in &*setup.rules {
        key += &match rule {
            RuleSource::Link(link) => format!("r {}\n", link.path.display()),
            RuleSource::Text { block: one, .. } => block(one),
            RuleSource::Query(query) => block(&query.block),
        };
    }
    for source in &*setup.exceptions {
        key += &match source {
            ExceptionSource::Link(link) => format!("e {}\n", link.path.display()),
            ExceptionSource::Text { block: one, .. } => block(one),
        };
    }
    key += &setup.mapping.as_ref().map(block).unwrap_or_default();
    if let Some(options) = &setup.options {
        key += &format!("o {file}@{}\n", options.at);
    }
    key
}

/// The block as a text of its own, in which messages have the lines of the spec file; and where it begins there.
fn block_source(block: &Block, file: &str, blocks: &mut Vec<(Arc<Source>, usize)>) -> (Arc<Source>, usize) {
    let above = block.line.saturating_sub(1);
    let (source, first, start) = if above <= SPEC_PADDING_MAX {
        (Source::new(file, "\n".repeat(above) + &block.text), block.line, above)
    } else {
        (Source::new(format!("{file} (block at line {})", block.line), &*block.text), 1, 0)
    };
    let source = Arc::new(source);
    blocks.push((Arc::clone(&source), first));
    (source, start)
}

fn parsed(source: &Arc<Source>, format: RuleFormat, options: &LoadOptions) -> ParsedFile {
    match format {
        RuleFormat::Toml => {
            let options = TomlOptions { any_maturity: options.any_maturity, version_lock: None };
            parse_toml(source, &options)
        }
        RuleFormat::Json => parse_json(source),
        RuleFormat::NdJson => parse_ndjson(source),
    }
}

/// A rule around a query. Messages about the query have its place in the spec.
fn query_rule(query: &QueryRule, source: &Arc<Source>, start: usize) -> ParsedFile {
    let text = source.text[start..].trim_end();
    let mut fields = json!({
        "rule_id": query.id,
        "name": query.name,
        "description": query.name,
        "severity": "low",
        "risk_score": 21,
        "type": if query.language == "eql" { "eql" } else { "query" },
        "language": query.language,
        "query": text,
        "index": ["*"],
    });
    if let Value::Object(fields) = &mut fields {
        fields.extend(query.fields.clone());
    }
    let mut parsed = parse_json(&Arc::new(Source::new(source.name.clone(), fields.to_string())));
    let span = Span::new(start, start + text.len());
    for rule in &mut parsed.rules {
        rule.origin = Origin {
            source: Arc::clone(source),
            span,
            query_span: Some(span),
            query_verbatim: true,
            field_spans: Vec::new(),
            metadata: None,
        };
    }
    let moved = |one: Diagnostic| Diagnostic { span, labels: Vec::new(), ..one };
    parsed.diagnostics = parsed.diagnostics.into_iter().map(moved).collect();
    parsed
}

/// Values made once, by whoever needs them first; others wait for that one alone.
struct Shared<K, V> {
    made: Mutex<HashMap<K, Arc<OnceLock<V>>>>,
    max: usize,
}

impl<K: Hash + Eq, V: Clone> Shared<K, V> {
    fn new(max: usize) -> Self {
        Self { made: Mutex::new(HashMap::new()), max }
    }

    fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let cell = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if made.len() >= self.max && !made.contains_key(&key) {
                made.clear();
            }
            Arc::clone(made.entry(key).or_default())
        };
        cell.get_or_init(make).clone()
    }
}
