//! `maxspan rules check`: rules without events.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;

use indicatif::HumanCount;
use maxspan_diagnostics::{Diagnostic, Report, Severity, Source, Span, codes};
use maxspan_eql::Strictness;
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{CompileOptions, LoadedRules};
use serde_json::{Value, json};

use crate::args::{CheckArguments, CheckFormat};
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::account::not_run_kinds;
use crate::output::messages::rendered;
use crate::output::summary::counted;
use crate::time;

pub(crate) fn run(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let loaded = load::rules(&arguments.paths, &[], arguments.any_maturity, None)?;
    let places = Places::new(&loaded);
    let strictness = if arguments.strict { Strictness::Elasticsearch } else { Strictness::Lenient };
    let options = RuleBaseOptions {
        schema: load::schema(&arguments.mapping, false)?,
        compile: CompileOptions { now: time::now(None)?, strictness, ..CompileOptions::default() },
        ..RuleBaseOptions::default()
    };
    let rules = RuleBase::new(loaded, &options);
    let check = Check::new(&rules, &places, arguments.strict);
    let text = match arguments.format {
        CheckFormat::Text => check.text(),
        CheckFormat::Json => serde_json::to_string_pretty(&check.json()).unwrap_or_default() + "\n",
    };
    write(&text).map_err(Failure::output("the outcome"))?;
    if rules.read == 0 && rules.diagnostics.is_empty() {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    Ok(if check.failed > 0 || check.other_failures > 0 { Exit::Rules } else { Exit::Success })
}

fn write(text: &str) -> io::Result<()> {
    let mut writer = BufWriter::new(io::stdout().lock());
    writer.write_all(text.as_bytes())?;
    writer.flush()
}

/// Which rule a place in a text belongs to.
struct Places {
    /// Text, the rule in it, the rule's id.
    rules: Vec<(Arc<Source>, Span, String)>,
}

impl Places {
    fn new(loaded: &LoadedRules) -> Self {
        let place = |rule: &maxspan_rules::RuleDocument| {
            (Arc::clone(&rule.origin.source), rule.origin.span, rule.rule_id.clone())
        };
        Self { rules: loaded.rules.iter().map(place).collect() }
    }

    /// The rule that a message is about: the one around its place, the only one of the file, or the one that the
    /// text is named after where a query is shown apart from its file.
    fn rule_of(&self, source: &Arc<Source>, diagnostic: &Diagnostic) -> Option<&str> {
        let mut of_file = self.rules.iter().filter(|(text, ..)| Arc::ptr_eq(text, source)).peekable();
        if of_file.peek().is_none() {
            let named = |id: &str| source.name.contains(&format!("({id}, "));
            return self.rules.iter().map(|(_, _, id)| id.as_str()).find(|id| named(id));
        }
        let of_file: Vec<_> = of_file.collect();
        let around = |span: Span| span.start <= diagnostic.span.start && diagnostic.span.end <= span.end;
        let found = of_file.iter().find(|(_, span, _)| around(*span));
        let only = if of_file.len() == 1 { of_file.first() } else { None };
        found.or(only).map(|(_, _, id)| id.as_str())
    }
}

/// The outcome. Every rule counts once: `ok + failed + not_run = rules`.
struct Check<'a> {
    rules: &'a RuleBase,
    /// Messages with the rule each is about, those of one file together, in order of files.
    messages: Vec<(&'a Arc<Source>, &'a Diagnostic, Option<&'a str>)>,
    ok: usize,
    failed: usize,
    /// Errors (and with `--strict` warnings) that are about no rule: unreadable files, exception lists.
    other_failures: usize,
}

impl<'a> Check<'a> {
    fn new(rules: &'a RuleBase, places: &'a Places, strict: bool) -> Self {
        let mut messages: Vec<_> = rules
            .diagnostics
            .iter()
            .map(|(source, diagnostic)| (source, diagnostic, places.rule_of(source, diagnostic)))
            .collect();
        messages.sort_by(|(a, ..), (b, ..)| a.name.cmp(&b.name));
        let is_failure = |diagnostic: &Diagnostic| {
            diagnostic.is_error() || (strict && diagnostic.code != codes::RULE_NOT_RUN)
        };
        let failures: Vec<_> = messages.iter().filter(|(_, diagnostic, _)| is_failure(diagnostic)).collect();
        let of_rules: BTreeSet<&str> = failures.iter().filter_map(|(_, _, rule)| *rule).collect();
        // Rules that run, but have warnings where these count.
        let warned = rules.documents.iter().filter(|rule| of_rules.contains(rule.rule_id.as_str())).count();
        Self {
            rules,
            ok: rules.rule_set.len() - warned,
            failed: rules.failed + warned,
            other_failures: failures.iter().filter(|(_, _, rule)| rule.is_none()).count(),
            messages,
        }
    }

    fn json(&self) -> Value {
        let diagnostics: Vec<Value> = self
            .messages
            .iter()
            .map(|(source, diagnostic, rule)| report(source, diagnostic, *rule))
            .collect();
        json!({
            "rules": self.rules.read,
            "ok": self.ok,
            "failed": self.failed,
            "not_run": self.rules.not_run.len(),
            "by_type": self.rules.by_type,
            "diagnostics": diagnostics,
        })
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let shown = self.messages.iter().filter(|(_, diagnostic, _)| diagnostic.code != codes::RULE_NOT_RUN);
        for (source, diagnostic, _) in shown {
            text += &rendered(source, diagnostic);
            text += "\n\n";
        }
        text + &self.summary() + "\n"
    }

    fn summary(&self) -> String {
        let count = |count: usize| HumanCount(count as u64);
        let rules = counted(self.rules.read as u64, "rule");
        let mut parts = vec![format!("{rules}: {} ok, {} failed", count(self.ok), count(self.failed))];
        if !self.rules.not_run.is_empty() {
            let kinds = not_run_kinds(self.rules);
            parts.push(format!("{} not run yet ({kinds})", count(self.rules.not_run.len())));
        }
        for (severity, noun) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
            let of_severity =
                self.rules.messages().filter(|(_, diagnostic)| diagnostic.severity() == severity);
            match of_severity.count() as u64 {
                0 => {}
                count => parts.push(counted(count, noun)),
            }
        }
        parts.join(", ")
    }
}

/// The message as data, with the rule it is about where that is known.
fn report(source: &Source, diagnostic: &Diagnostic, rule: Option<&str>) -> Value {
    let mut report = serde_json::to_value(Report::new(source, diagnostic)).unwrap_or_default();
    if let (Value::Object(fields), Some(rule)) = (&mut report, rule) {
        fields.insert("rule_id".to_owned(), json!(rule));
    }
    report
}
