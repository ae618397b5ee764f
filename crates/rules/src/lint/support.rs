//! What tests of lints share: rules around a query, and the comparison of what is said.

use std::sync::{Arc, OnceLock};

use maxspan_diagnostics::Source;
use maxspan_event::Schema;

use super::{LintOptions, lint};
use crate::document::RuleDocument;
use crate::toml_rules::{TomlOptions, parse_toml};

/// The built-in schema, read once.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(Schema::built_in)
}

/// A rule around a query.
pub(super) fn rule_of(language: &str, query: &str, fields: &str) -> RuleDocument {
    let rule_type = if language == "eql" { "eql" } else { "query" };
    let text = format!(
        "[rule]\nname = \"R\"\ndescription = \"D\"\nrule_id = \"r\"\nseverity = \"low\"\nrisk_score = 21\n\
         type = \"{rule_type}\"\nlanguage = \"{language}\"\nquery = '''\n{query}'''\n{fields}\n"
    );
    let mut file = parse_toml(&Arc::new(Source::new("rule.toml", text.as_str())), &TomlOptions::default());
    assert_eq!(file.rules.len(), 1, "{text}\n{:?}", file.diagnostics);
    file.rules.remove(0)
}

/// The messages about an EQL query: each begins with its code, then perhaps `line:column`, then a part of its text.
pub(super) fn check_eql(query: &str, expected: &[&str]) {
    check(&rule_of("eql", query, ""), Some(query), expected);
}

/// The same for KQL.
pub(super) fn check_kql(query: &str, expected: &[&str]) {
    check(&rule_of("kuery", query, ""), Some(query), expected);
}

/// The same for other fields of a rule; TOML, without a place.
pub(super) fn check_fields(fields: &str, expected: &[&str]) {
    check(&rule_of("kuery", "process.name: a", fields), None, expected);
}

fn check(rule: &RuleDocument, query: Option<&str>, expected: &[&str]) {
    let mut found = lint(std::slice::from_ref(rule), LintOptions { schema: schema(), now: 0 });
    // Short queries select hardly anything; that is only said where it is asked for.
    let anchors = ["MX1614", "MX1615"];
    if !expected.iter().any(|one| anchors.iter().any(|code| one.starts_with(code))) {
        found.retain(|(_, one)| !anchors.contains(&one.code.to_string().as_str()));
    }
    let shift = rule.origin.query_span.map_or(0, |span| span.start);
    let said: Vec<String> = found
        .iter()
        .map(|(source, one)| {
            let place = match query {
                Some(query) => Source::new("", query).position(one.span.start.saturating_sub(shift)),
                None => source.position(one.span.start),
            };
            format!("{} {place} {} {}", one.code, one.message, one.help.as_deref().unwrap_or(""))
        })
        .collect();
    assert_eq!(said.len(), expected.len(), "{}: {said:#?}", rule.query);
    for (said, expected) in said.iter().zip(expected) {
        let (code, rest) = expected.split_once(' ').unwrap_or((expected, ""));
        let is_place = |word: &str| word.split_once(':').is_some_and(|(line, _)| line.parse::<u32>().is_ok());
        let (place, text) = match rest.split_once(' ').unwrap_or((rest, "")) {
            (word, text) if is_place(word) => (word, text),
            _ => ("", rest),
        };
        assert!(
            said.starts_with(&format!("{code} {place}")) && said.contains(text),
            "{said} is not {expected}"
        );
    }
}
