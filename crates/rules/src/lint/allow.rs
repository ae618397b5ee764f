//! What is switched off: by a rule about itself, or from outside for all rules or one.
//!
//! A rule says `maxspan.allow = ["MX1604", "case-trap"]` under `[metadata]` (TOML), or has
//! `"meta": {"maxspan": {"allow": […]}}` (JSON). From outside an entry is `CODE` or `CODE=RULE`, with a rule's id or name;
//! in a file, `CODE [RULE]  # why`. Codes stand by number or name. Errors cannot be switched off; an entry that switches
//! nothing off is itself worth a warning (`MX1660`), and so is one that cannot (`MX1661`).

use std::collections::BTreeMap;
use std::sync::Arc;

use maxspan_diagnostics::{Code, Diagnostic, Severity, Source, Span, codes, nearest_names};
use serde_json::Value;

use super::Message;
use crate::document::RuleDocument;

/// What is switched off.
#[derive(Debug, Default)]
pub struct Allows {
    entries: Vec<Allow>,
    /// What was wrong with entries of rules and files.
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Allow {
    code: Code,
    /// Id or name of the only rule that is meant.
    rule: Option<String>,
    source: Arc<Source>,
    span: Span,
    /// The rule that has the entry in its own file.
    owner: Option<String>,
    used: bool,
}

/// An entry that switches nothing off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AllowError(String);

impl Allows {
    /// Adds `CODE` or `CODE=RULE`.
    pub fn add(&mut self, entry: &str) -> Result<(), AllowError> {
        let (code, rule) = entry.split_once('=').map_or((entry, None), |(code, rule)| (code, Some(rule)));
        let code = code_of(code.trim()).map_err(AllowError)?;
        let source = Arc::new(Source::new("--allow", entry));
        let span = Span::new(0, entry.len());
        let rule = rule.map(|rule| rule.trim().to_owned());
        self.entries.push(Allow { code, rule, source, span, owner: None, used: false });
        Ok(())
    }

    /// Adds the lines of a file: `CODE [RULE]  # why`.
    pub fn add_file(&mut self, source: &Arc<Source>) {
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let content = line.split('#').next().unwrap_or("").trim();
            let begin = start + line.find(content).unwrap_or(0);
            let span = Span::new(begin, begin + content.len());
            start += line.len();
            if content.is_empty() {
                continue;
            }
            let (code, rule) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
            let rule = Some(rule.trim().to_owned()).filter(|rule| !rule.is_empty());
            self.keep(code, rule, source, span, None);
        }
    }

    /// Adds what rules switch off about themselves.
    pub fn add_rules(&mut self, rules: &[RuleDocument]) {
        for rule in rules {
            for code in entries_of(rule) {
                let origin = &rule.origin;
                let found = origin.source.text.find(&format!("\"{code}\""));
                let span = found.map_or(origin.span, |at| Span::new(at, at + code.len() + 2));
                let id = &rule.rule_id;
                self.keep(&code, Some(id.clone()), &origin.source, span, Some(id.clone()));
            }
        }
    }

    fn keep(
        &mut self,
        code: &str,
        rule: Option<String>,
        source: &Arc<Source>,
        span: Span,
        owner: Option<String>,
    ) {
        let source = Arc::clone(source);
        match code_of(code) {
            Ok(code) => self.entries.push(Allow { code, rule, source, span, owner, used: false }),
            Err(message) => {
                let diagnostic = Diagnostic::new(codes::LINT_ALLOW_INVALID, span, message);
                self.messages.push((source, about(diagnostic, owner.as_deref())));
            }
        }
    }

    /// The messages that are left. `names` gives the names of rules by id.
    pub fn apply(&mut self, messages: Vec<Message>, names: &BTreeMap<String, String>) -> Vec<Message> {
        messages.into_iter().filter(|(_, one)| !self.switches_off(one, names)).collect()
    }

    fn switches_off(&mut self, one: &Diagnostic, names: &BTreeMap<String, String>) -> bool {
        if one.severity() == Severity::Error {
            return false;
        }
        let name = one.rule_id.as_ref().and_then(|id| names.get(id));
        let meant = |rule: &str| {
            one.rule_id.as_deref() == Some(rule) || name.is_some_and(|name| name.eq_ignore_ascii_case(rule))
        };
        let mut off = false;
        for entry in &mut self.entries {
            if entry.code == one.code && entry.rule.as_deref().is_none_or(meant) {
                entry.used = true;
                off = true;
            }
        }
        off
    }

    /// What is wrong with the entries themselves; of those that switched nothing off, only if their code was `asked`
    /// for at all.
    pub fn messages(&self, asked: impl Fn(Code) -> bool) -> Vec<Message> {
        let unused = self.entries.iter().filter(|entry| !entry.used && asked(entry.code));
        let said = unused.map(|entry| {
            let message = format!(
                "nothing is there that `{}` ({}) would switch off",
                entry.code,
                entry.code.info().name
            );
            let diagnostic = Diagnostic::new(codes::LINT_ALLOW_UNUSED, entry.span, message)
                .with_help("take the entry away");
            (Arc::clone(&entry.source), about(diagnostic, entry.owner.as_deref()))
        });
        self.messages.iter().cloned().chain(said).collect()
    }
}

fn about(diagnostic: Diagnostic, rule_id: Option<&str>) -> Diagnostic {
    match rule_id {
        Some(rule_id) => diagnostic.about_rule(rule_id),
        None => diagnostic,
    }
}

/// The code that an entry names, if it can be switched off.
fn code_of(text: &str) -> Result<Code, String> {
    let Some(code) = Code::find(text) else {
        let names = codes::REGISTRY.iter().map(|code| code.info().name);
        let near = nearest_names(text, names);
        let help = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("`{text}` is no diagnostic{help}"));
    };
    if code.severity() == Severity::Error {
        return Err(format!("`{code}` ({}) is an error, which cannot be switched off", code.info().name));
    }
    Ok(code)
}

/// The codes that a rule switches off, as written.
fn entries_of(rule: &RuleDocument) -> Vec<String> {
    let metadata = rule.origin.metadata.as_ref().and_then(|metadata| metadata.other.get("maxspan"));
    let meta = rule.meta.as_ref().and_then(|meta| meta.get("maxspan"));
    let lists =
        metadata.into_iter().chain(meta).filter_map(|own| own.get("allow")).filter_map(Value::as_array);
    lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::support::rule_of;
    use super::*;

    fn message(code: Code, rule: &str) -> Message {
        (Arc::new(Source::new("t", "")), Diagnostic::new(code, Span::default(), "m").about_rule(rule))
    }

    #[test]
    fn entries_switch_off_what_they_name() {
        let names = BTreeMap::from([("r1".to_owned(), "Rule One".to_owned())]);
        let check = |entry: &str, left: usize| {
            let mut allows = Allows::default();
            allows.add(entry).unwrap();
            let messages = vec![message(codes::LINT_CASE_TRAP, "r1"), message(codes::EQL_TOKEN, "r1")];
            assert_eq!(allows.apply(messages, &names).len(), left, "{entry}");
            assert_eq!(allows.messages(|_| true).len(), left - 1, "{entry}");
            assert!(allows.messages(|_| false).is_empty());
        };
        check("MX1604", 1);
        check("case-trap", 1);
        check("MX1604=r1", 1);
        check("MX1604=rule one", 1);
        check("MX1604=r2", 2);
        check("MX1605", 2);
    }

    #[test]
    fn errors_and_unknown_codes_are_refused() {
        let check = |entry: &str, expected: &str| {
            assert_eq!(Allows::default().add(entry).unwrap_err().to_string(), expected);
        };
        check("MX1101", "`MX1101` (eql-token) is an error, which cannot be switched off");
        check("case-trp", "`case-trp` is no diagnostic; did you mean `case-trap`?");
    }

    #[test]
    fn files_and_rules_have_entries() {
        let mut allows = Allows::default();
        let text = "# ours\nMX1604 r1  # older agents\n  case-trp\n";
        allows.add_file(&Arc::new(Source::new("allow.txt", text)));
        allows.add_rules(&[rule_of(
            "kuery",
            "a: b",
            "[metadata]\nmaxspan.allow = [\"wildcard-without-effect\"]",
        )]);
        let said: Vec<(&str, &str)> = allows
            .messages
            .iter()
            .map(|(source, one)| (one.code.info().name, one.span.slice(&source.text)))
            .collect();
        assert_eq!(said, [("allow-invalid", "case-trp")]);
        let kept: Vec<(Code, &str, &str)> = allows
            .entries
            .iter()
            .map(|one| (one.code, one.rule.as_deref().unwrap(), one.span.slice(&one.source.text)))
            .collect();
        assert_eq!(
            kept,
            [
                (codes::LINT_CASE_TRAP, "r1", "MX1604 r1"),
                (codes::LINT_WILDCARD_LITERAL, "r", "\"wildcard-without-effect\""),
            ]
        );
    }
}
