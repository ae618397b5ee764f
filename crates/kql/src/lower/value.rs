//! What a value means for a field of a type.

use maxspan_event::wildcard::{Wildcard, fold};
use maxspan_event::{Cidr, Field, FieldType, Value, date, parse_ip};
use maxspan_plan::{ByKind, Datum, RangeOp as PlanOp, TestKind, TextMode, TextQuery, ValueSet, words};

use super::{EXISTS, is_anything, only_presence, text_of};
use crate::ast::{LiteralKind, RangeOp};

/// The test that `field: value` stands for; none when no value of the field's type can pass.
pub fn value_test(field: &Field, value: &LiteralKind, now: i64) -> Option<TestKind> {
    if is_anything(value) {
        return Some(EXISTS);
    }
    if *value == LiteralKind::Null || only_presence(field.kind) {
        return None;
    }
    match field.kind {
        FieldType::Keyword => Some(keyword(value, field.lowercase)),
        FieldType::ConstantKeyword | FieldType::Wildcard | FieldType::Flattened => {
            Some(inexact_keyword(value))
        }
        FieldType::Text => Some(TestKind::Text(text(value))),
        FieldType::Long | FieldType::UnsignedLong | FieldType::Double => number(value).map(one_of),
        FieldType::Boolean => boolean(value).map(one_of),
        FieldType::Ip => ip(value),
        FieldType::Date | FieldType::DateNanos => date_span(field, value, now),
        FieldType::Version => Some(version(value)),
        _ => Some(unknown(value)),
    }
}

/// The same value for fields whose type is only known per leaf.
pub(super) fn by_kind(value: &LiteralKind, now: i64) -> ByKind {
    let test = |kind: FieldType| value_test(&Field::new("", kind), value, now);
    for_each_kind(test)
}

/// The same comparison for fields whose type is only known per leaf.
pub(super) fn range_by_kind(op: RangeOp, value: &LiteralKind, now: i64) -> ByKind {
    let test = |kind: FieldType| range_test(&Field::new("", kind), op, value, now);
    for_each_kind(test)
}

fn for_each_kind(test: impl Fn(FieldType) -> Option<TestKind>) -> ByKind {
    ByKind {
        keyword: test(FieldType::Keyword),
        wildcard: test(FieldType::Wildcard),
        text: test(FieldType::Text),
        number: test(FieldType::Long),
        ip: test(FieldType::Ip),
        date: test(FieldType::Date),
        boolean: test(FieldType::Boolean),
        version: test(FieldType::Version),
        unknown: test(FieldType::Unknown),
        other: None,
    }
}

/// The test that `field op value` stands for; none when the field's type cannot hold the value.
pub fn range_test(field: &Field, op: RangeOp, value: &LiteralKind, now: i64) -> Option<TestKind> {
    let written = text_of(value);
    let op = match op {
        RangeOp::Less => PlanOp::Less,
        RangeOp::LessOrEqual => PlanOp::LessOrEqual,
        RangeOp::Greater => PlanOp::Greater,
        RangeOp::GreaterOrEqual => PlanOp::GreaterOrEqual,
    };
    let bound = match field.kind {
        FieldType::Long | FieldType::UnsignedLong | FieldType::Double => number(value)?,
        FieldType::Date | FieldType::DateNanos => {
            let up = matches!(op, PlanOp::Greater | PlanOp::LessOrEqual);
            let nanos = date::parse_bound(&written, &field.date_format, now, up)?;
            return Some(TestKind::instant(op, nanos, field.kind));
        }
        FieldType::Ip => Value::Ip(parse_ip(&written)?),
        FieldType::Version => Value::Version(written.into()),
        _ if field.lowercase => Value::text(fold(&written)),
        FieldType::Boolean => boolean(value)?,
        FieldType::Unknown => number(value).unwrap_or_else(|| Value::text(written)),
        kind if only_presence(kind) => return None,
        _ => Value::text(written),
    };
    Some(TestKind::Compare(op, bound))
}

fn one_of(value: Value) -> TestKind {
    TestKind::OneOf(ValueSet::new([value], false))
}

fn parts(parts: &[String]) -> Wildcard {
    Wildcard::from_parts(parts.iter().map(String::as_str), false)
}

/// Exactly a keyword: the whole value, with case.
fn keyword(value: &LiteralKind, lowercase: bool) -> TestKind {
    let fold_if = |text: &str| if lowercase { fold(text).into_owned() } else { text.to_owned() };
    match value {
        LiteralKind::Wildcard(segments) => {
            let folded: Vec<String> = segments.iter().map(|segment| fold_if(segment)).collect();
            TestKind::Wildcard(vec![parts(&folded)])
        }
        other => one_of(Value::text(fold_if(&text_of(other)))),
    }
}

/// Other exact strings: Kibana sends wildcards as a `query_string`, where spaces part alternatives.
fn inexact_keyword(value: &LiteralKind) -> TestKind {
    match value {
        LiteralKind::Wildcard(segments) => {
            TestKind::Wildcard(terms(segments).iter().map(|term| parts(term)).collect())
        }
        other => one_of(Value::text(text_of(other))),
    }
}

/// The terms of a `query_string`: cut at white space, each with its stars.
fn terms(segments: &[String]) -> Vec<Vec<String>> {
    let mut terms: Vec<Vec<String>> = vec![vec![String::new()]];
    for (index, segment) in segments.iter().enumerate() {
        if index > 0
            && let Some(term) = terms.last_mut()
        {
            term.push(String::new());
        }
        for c in segment.chars() {
            match terms.last_mut().and_then(|term| term.last_mut()) {
                Some(part) if !c.is_whitespace() => part.push(c),
                _ => terms.push(vec![String::new()]),
            }
        }
    }
    terms.retain(|term| term.len() > 1 || term.iter().any(|part| !part.is_empty()));
    terms
}

/// Analysed text: any word, or the words of a phrase.
fn text(value: &LiteralKind) -> TextQuery {
    match value {
        LiteralKind::Quoted(phrase) => TextQuery::new(phrase, TextMode::Phrase),
        LiteralKind::Wildcard(segments) => {
            let mut patterns = Vec::new();
            for term in terms(segments) {
                if let [word] = term.as_slice() {
                    patterns.extend(words(word).map(|word| Wildcard::from_parts([word.as_str()], false)));
                } else {
                    let folded: Vec<String> = term.iter().map(|part| fold(part).into_owned()).collect();
                    patterns.push(parts(&folded));
                }
            }
            TextQuery::from_patterns(patterns)
        }
        other => TextQuery::new(&text_of(other), TextMode::Any),
    }
}

fn number(value: &LiteralKind) -> Option<Value> {
    let (LiteralKind::Text(text) | LiteralKind::Quoted(text)) = value else { return None };
    let text = text.trim();
    if let Ok(value) = text.parse::<i64>() {
        return Some(Value::Long(value));
    }
    if let Ok(value) = text.parse::<u64>() {
        return Some(Value::Unsigned(value));
    }
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|value| numeric && value.is_finite()).map(Value::Double)
}

fn boolean(value: &LiteralKind) -> Option<Value> {
    match value {
        LiteralKind::Boolean(value) => Some(Value::Boolean(*value)),
        LiteralKind::Text(text) | LiteralKind::Quoted(text) => text.parse().ok().map(Value::Boolean),
        _ => None,
    }
}

fn ip(value: &LiteralKind) -> Option<TestKind> {
    let (LiteralKind::Text(text) | LiteralKind::Quoted(text)) = value else { return None };
    if text.contains('/') {
        return Cidr::parse(text).map(|block| TestKind::Cidr(vec![block]));
    }
    parse_ip(text).map(Value::Ip).map(one_of)
}

/// From the first to the last instant that the text covers: a day, where only a day is written.
fn date_span(field: &Field, value: &LiteralKind, now: i64) -> Option<TestKind> {
    let text = text_of(value);
    let from = date::parse_bound(&text, &field.date_format, now, false)?;
    let to = date::parse_bound(&text, &field.date_format, now, true)?;
    Some(TestKind::instants(from, to, field.kind))
}

fn version(value: &LiteralKind) -> TestKind {
    match value {
        LiteralKind::Wildcard(segments) => TestKind::Wildcard(vec![parts(segments)]),
        other => one_of(Value::Version(text_of(other).into())),
    }
}

fn unknown(value: &LiteralKind) -> TestKind {
    match value {
        LiteralKind::Wildcard(segments) => TestKind::Wildcard(vec![parts(segments)]),
        LiteralKind::Boolean(value) => {
            TestKind::OneOf(ValueSet::new(ValueSet::untyped(&Datum::Boolean(*value)), false))
        }
        other => TestKind::OneOf(ValueSet::new(ValueSet::untyped(&Datum::text(text_of(other))), false)),
    }
}
