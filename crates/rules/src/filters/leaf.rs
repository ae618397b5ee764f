//! Queries on one field: `term`, `match` and their like.

use maxspan_event::wildcard::{Wildcard, fold};
use maxspan_event::{Field, FieldType, Value as EventValue};
use maxspan_kql::ast::LiteralKind;
use maxspan_kql::value_test;
use maxspan_plan::{
    Datum, LuceneRegex, Predicate, RegexBudget, TestKind, TextMode, TextQuery, ValueSet, words,
};
use serde_json::{Map, Value};

use super::{FilterContext, cannot_hold, only, scalar_text};

/// How the words of a `match` query hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Any,
    All,
    Phrase,
    PhrasePrefix,
}

impl FilterContext<'_> {
    /// `{"field": "value"}`, or with options `{"field": {"value": …, "case_insensitive": true}}`.
    pub(super) fn leaf(&mut self, kind: &str, name: &str, body: &Value) -> Result<Predicate, String> {
        let leaf = Leaf::read(kind, body)?;
        let field = self.field(name)?;
        if kind == "term" && !leaf.ignore_case {
            return self.term_text(&field, leaf.text);
        }
        let test = match kind {
            "term" => term_in_any_case(&field, &leaf.text)?,
            "wildcard" => {
                check_patterns(kind, &field)?;
                let text =
                    if field.kind == FieldType::Text { fold(&leaf.text).into_owned() } else { leaf.text };
                pattern(&field, Wildcard::with_escapes(&normalized(&field, &text), leaf.ignore_case))
            }
            "prefix" => {
                check_patterns(kind, &field)?;
                if field.kind == FieldType::Text && fold(&leaf.text) != leaf.text && !leaf.ignore_case {
                    return Err("a `prefix` query with capital letters on analysed text".to_owned());
                }
                prefix(&field, &leaf.text, leaf.ignore_case)
            }
            "regexp" => regexp(&field, &leaf, &mut self.regexes)?,
            _ => return self.matches(&field, &leaf.text, leaf.words),
        };
        Ok(Predicate::test(self.fields.slot(&field), test))
    }

    /// One value of a `terms` query.
    pub(super) fn term(&mut self, name: &str, value: &Value) -> Result<Predicate, String> {
        let text = scalar_text(value).ok_or("a `terms` query with a value that is no scalar")?;
        let field = self.field(name)?;
        self.term_text(&field, text)
    }

    /// Exactly this value; of analysed text, exactly this word.
    fn term_text(&mut self, field: &Field, text: String) -> Result<Predicate, String> {
        if field.kind == FieldType::Text {
            let word = Wildcard::from_parts([text.as_str()], false);
            return Ok(Predicate::test(self.fields.slot(field), pattern(field, word)));
        }
        self.value(field, LiteralKind::Quoted(text))
    }

    fn matches(&mut self, field: &Field, text: &str, how: Words) -> Result<Predicate, String> {
        let slot = self.fields.slot(field);
        match (how, field.kind == FieldType::Text) {
            (Words::PhrasePrefix, false) => {
                check_patterns("match_phrase_prefix", field)?;
                Ok(Predicate::test(slot, prefix(field, text, false)))
            }
            (_, false) => self.value(field, LiteralKind::Quoted(text.to_owned())),
            (Words::Any, true) => {
                Ok(Predicate::test(slot, TestKind::Text(TextQuery::new(text, TextMode::Any))))
            }
            (Words::Phrase, true) => {
                Ok(Predicate::test(slot, TestKind::Text(TextQuery::new(text, TextMode::Phrase))))
            }
            (Words::All, true) => {
                let each: Vec<_> = words(text).collect();
                if each.is_empty() {
                    return Ok(Predicate::Constant(false));
                }
                let test = |word: String| TestKind::Text(TextQuery::new(&word, TextMode::Phrase));
                Ok(Predicate::and(each.into_iter().map(|word| Predicate::test(slot, test(word)))))
            }
            (Words::PhrasePrefix, true) => {
                let mut each = words(text);
                match (each.next(), each.next()) {
                    (None, _) => Ok(Predicate::Constant(false)),
                    (Some(word), None) => Ok(Predicate::test(slot, prefix(field, &word, false))),
                    _ => Err("a `match_phrase_prefix` query with several words on analysed text".to_owned()),
                }
            }
        }
    }

    fn value(&mut self, field: &Field, value: LiteralKind) -> Result<Predicate, String> {
        let slot = self.fields.slot(field);
        match (value_test(field, &value, self.now), value) {
            (Some(test), _) => Ok(Predicate::test(slot, test)),
            (None, LiteralKind::Quoted(text) | LiteralKind::Text(text)) => Err(cannot_hold(field, &text)),
            (None, _) => Err(format!("a value of `{}`", field.name)),
        }
    }
}

/// A leaf's value and options.
struct Leaf {
    text: String,
    ignore_case: bool,
    words: Words,
}

impl Leaf {
    fn read(kind: &str, body: &Value) -> Result<Self, String> {
        let mut words = match kind {
            "match_phrase" => Words::Phrase,
            "match_phrase_prefix" => Words::PhrasePrefix,
            _ => Words::Any,
        };
        let (value, ignore_case) = match body {
            Value::Object(options) => {
                only(kind, options, known_options(kind))?;
                check_options(kind, options)?;
                if kind == "match" {
                    words = match_words(options)?;
                }
                (value_of(kind, options)?, ignores_case(kind, options)?)
            }
            value => (value, false),
        };
        let text = scalar_text(value).ok_or_else(|| format!("a `{kind}` query whose value is no scalar"))?;
        Ok(Self { text, ignore_case, words })
    }
}

fn known_options(kind: &str) -> &'static [&'static str] {
    match kind {
        "term" => &["value", "case_insensitive"],
        "wildcard" => &["value", "wildcard", "case_insensitive", "rewrite"],
        "prefix" => &["value", "case_insensitive", "rewrite"],
        "regexp" => &["value", "case_insensitive", "flags", "max_determinized_states", "rewrite"],
        "match" => &["query", "operator", "type", "minimum_should_match", "slop", "zero_terms_query"],
        _ => &["query", "slop", "type", "zero_terms_query"],
    }
}

/// Options that are known only with the value that changes nothing.
fn check_options(kind: &str, options: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in options {
        let as_default = match name.as_str() {
            "slop" => value.as_u64() == Some(0),
            "zero_terms_query" => value.as_str() == Some("none"),
            "flags" => value.as_str() == Some("ALL"),
            "type" if kind != "match" => value.as_str() == kind.strip_prefix("match_"),
            _ => true,
        };
        if !as_default {
            return Err(format!("a `{kind}` query with `{name}` {value}"));
        }
    }
    Ok(())
}

fn value_of<'v>(kind: &str, options: &'v Map<String, Value>) -> Result<&'v Value, String> {
    let mut values = ["value", "wildcard", "query"].iter().filter_map(|name| options.get(*name));
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(format!("a `{kind}` query without a value")),
        (Some(_), Some(_)) => Err(format!("a `{kind}` query with two values")),
    }
}

fn ignores_case(kind: &str, options: &Map<String, Value>) -> Result<bool, String> {
    match options.get("case_insensitive") {
        None => Ok(false),
        Some(value) => {
            value.as_bool().ok_or_else(|| format!("a `{kind}` query with `case_insensitive` {value}"))
        }
    }
}

/// `type`, `operator` and `minimum_should_match` of a `match` query.
fn match_words(options: &Map<String, Value>) -> Result<Words, String> {
    let refused = |name: &str| Err(format!("a `match` query with `{name}` {}", options[name]));
    let text = |name: &str| options.get(name).map(|value| value.as_str().unwrap_or("").to_ascii_lowercase());
    let mut words = match text("operator").as_deref() {
        None | Some("or") => Words::Any,
        Some("and") => Words::All,
        _ => return refused("operator"),
    };
    match options.get("minimum_should_match") {
        None => {}
        Some(value) if value.as_u64() == Some(1) || value.as_str() == Some("1") => {}
        Some(value) if value.as_str() == Some("100%") => words = Words::All,
        Some(_) => return refused("minimum_should_match"),
    }
    match text("type").as_deref() {
        None | Some("boolean") => Ok(words),
        Some("phrase") => Ok(Words::Phrase),
        Some("phrase_prefix") => Ok(Words::PhrasePrefix),
        _ => refused("type"),
    }
}

/// Patterns are for strings only.
fn check_patterns(kind: &str, field: &Field) -> Result<(), String> {
    let strings = field.kind.is_string() || matches!(field.kind, FieldType::Version | FieldType::Unknown);
    if strings {
        Ok(())
    } else {
        Err(format!("a `{kind}` query on `{}` of type `{}`", field.name, field.kind.name()))
    }
}

/// A pattern for the whole value; of analysed text, for one of its words.
fn pattern(field: &Field, pattern: Wildcard) -> TestKind {
    if field.kind == FieldType::Text {
        TestKind::Text(TextQuery::from_patterns(vec![pattern]))
    } else {
        TestKind::Wildcard(vec![pattern])
    }
}

fn prefix(field: &Field, text: &str, ignore_case: bool) -> TestKind {
    pattern(field, Wildcard::from_parts([normalized(field, text).as_str(), ""], ignore_case))
}

fn term_in_any_case(field: &Field, text: &str) -> Result<TestKind, String> {
    check_patterns("term", field)?;
    match field.kind {
        FieldType::Text => Ok(pattern(field, Wildcard::from_parts([text], true))),
        FieldType::Unknown => {
            Ok(TestKind::OneOf(ValueSet::new(ValueSet::untyped(&Datum::text(text.to_owned())), true)))
        }
        FieldType::Version => Err("a `term` query on a version in any case".to_owned()),
        _ => Ok(TestKind::OneOf(ValueSet::new([EventValue::text(normalized(field, text))], true))),
    }
}

fn regexp(field: &Field, leaf: &Leaf, budget: &mut RegexBudget) -> Result<TestKind, String> {
    check_patterns("regexp", field)?;
    if field.kind == FieldType::Text {
        return Err("a `regexp` query on analysed text".to_owned());
    }
    // The values are in lower case; letters of the expression are taken in both cases, which only ASCII has here.
    if field.lowercase && leaf.text.chars().any(|c| !c.is_ascii() && c.is_uppercase()) {
        return Err("a `regexp` query with such capital letters on a field in lower case".to_owned());
    }
    let regex = LuceneRegex::within(budget, &leaf.text, leaf.ignore_case || field.lowercase)
        .map_err(|error| format!("a regular expression: {}", error.message))?;
    Ok(TestKind::Regex(vec![regex]))
}

fn normalized(field: &Field, text: &str) -> String {
    if field.lowercase { fold(text).into_owned() } else { text.to_owned() }
}
