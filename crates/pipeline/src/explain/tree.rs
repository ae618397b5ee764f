//! The verdict about a query's conditions as plain data, with the values that they saw and hints.

use maxspan_diagnostics::{Position, Source, Span};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Value, date};
use maxspan_plan::condition::{ConditionKind, Read, Single, Truth, Verdict};
use maxspan_plan::{Predicate, TestKind};
use serde::Serialize;
use serde_json::Value as Json;

/// A condition and what became of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Node {
    /// `and`, `or`, `not`, `nested`, `condition`, `related`.
    pub kind: &'static str,
    /// `true`, `false`, `null`.
    pub truth: &'static str,
    /// The text of a single condition; empty for those that join others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Where it stands in the query, in bytes.
    pub span: Span,
    /// Line and column in the file of the rule.
    pub at: Option<Position>,
    /// The fields that it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldSeen>,
    /// What may be the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether turning it is needed, or one of the ways, to make the whole true.
    pub obstacle: bool,
    /// What it joins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Node>,
}

/// A field and the values that a condition saw.
#[derive(Debug, Clone, Serialize)]
pub struct FieldSeen {
    /// The name in the query.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its values; empty where the event does not have the field.
    pub values: Vec<Json>,
}

/// The verdict as data.
pub(super) fn node(verdict: &Verdict<'_>, source: &Source, shift: usize) -> Node {
    let obstacles: Vec<*const Verdict<'_>> =
        verdict.obstacles().into_iter().map(std::ptr::from_ref).collect();
    Builder { source, shift, obstacles }.node(verdict, "the event")
}

struct Builder<'a, 'v> {
    source: &'a Source,
    shift: usize,
    obstacles: Vec<*const Verdict<'v>>,
}

impl<'v> Builder<'_, 'v> {
    /// `place` is where values are looked for: the event, or one object of an array.
    fn node(&self, verdict: &Verdict<'v>, place: &str) -> Node {
        let condition = verdict.condition;
        let in_file = condition.span.shifted(self.shift);
        let (kind, single) = match &condition.kind {
            ConditionKind::And(_) => ("and", None),
            ConditionKind::Or(_) => ("or", None),
            ConditionKind::Not(_) => ("not", None),
            ConditionKind::Nested(..) => ("nested", None),
            ConditionKind::Related => ("related", None),
            ConditionKind::Single(single) => ("condition", Some(single)),
        };
        let inside = if kind == "nested" { "the object that comes closest" } else { place };
        let whole = single.is_some() || kind == "related";
        let span = if whole { self.closed(condition.span) } else { condition.span };
        let obstacle = self.obstacles.contains(&std::ptr::from_ref(verdict));
        Node {
            kind,
            truth: verdict.truth.name(),
            text: if whole {
                one_line(span.shifted(self.shift).slice(&self.source.text))
            } else {
                String::new()
            },
            span,
            at: Some(self.source.position(in_file.start)),
            fields: single.map_or_else(Vec::new, |single| fields(&single.reads, &verdict.values)),
            hint: match single {
                Some(single) if obstacle && verdict.truth != Truth::True => {
                    hint(single, &verdict.values, place)
                }
                None if kind == "related" => {
                    Some("decided by earlier events of related processes".to_owned())
                }
                _ => None,
            },
            obstacle,
            parts: verdict.parts.iter().map(|part| self.node(part, inside)).collect(),
        }
    }
}

impl Builder<'_, '_> {
    /// The span with the parenthesis that closes its list, which syntax trees leave out.
    fn closed(&self, span: Span) -> Span {
        let text = span.shifted(self.shift).slice(&self.source.text);
        let rest = self.source.text.get(span.end + self.shift..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start().len();
        if text.matches('(').count() > text.matches(')').count() && rest[blanks..].starts_with(')') {
            return Span::new(span.start, span.end + blanks + 1);
        }
        span
    }
}

fn fields(reads: &[Read], values: &[Vec<Value>]) -> Vec<FieldSeen> {
    let seen = |(read, values): (&Read, &Vec<Value>)| FieldSeen {
        name: read.name.clone(),
        kind: read.kind,
        values: values.iter().map(json).collect(),
    };
    reads.iter().zip(values).map(seen).collect()
}

/// Blanks and line ends as one blank each.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A decoded value as JSON.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Boolean(value) => Json::from(*value),
        Value::Long(value) => Json::from(*value),
        Value::Unsigned(value) => Json::from(*value),
        Value::Double(value) => Json::from(*value),
        Value::Text(text) | Value::Version(text) => Json::from(&**text),
        Value::Ip(ip) => Json::from(ip.to_string()),
        Value::Date(nanos) => Json::from(date::format_millis(*nanos)),
        Value::Object => Json::Object(serde_json::Map::new()),
    }
}

/// Whether a single condition fails by the case of letters alone, or because a wildcard is none.
pub(super) fn is_slip(verdict: &Verdict<'_>) -> bool {
    let ConditionKind::Single(single) = &verdict.condition.kind else { return false };
    verdict.truth != Truth::True && constant_hint(&single.holds, &texts(&verdict.values)).is_some()
}

fn texts(values: &[Vec<Value>]) -> Vec<&str> {
    values.iter().flatten().filter_map(Value::as_text).collect()
}

/// Why a condition on a field may fail although it looks right.
fn hint(single: &Single, values: &[Vec<Value>], place: &str) -> Option<String> {
    let missing: Vec<&str> = single
        .reads
        .iter()
        .zip(values)
        .filter(|(_, values)| values.is_empty())
        .map(|(read, _)| read.name.as_str())
        .collect();
    if !missing.is_empty() {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        return Some(format!("{} {verb} missing in {place}", missing.join(", ")));
    }
    let unreadable = single.reads.iter().zip(values).find(|(read, values)| {
        let held = matches!(
            read.kind,
            "ip" | "date" | "date_nanos" | "long" | "unsigned_long" | "double" | "boolean"
        );
        held && values.iter().any(|value| matches!(value, Value::Text(_)))
    });
    if let Some((read, _)) = unreadable {
        return Some(format!("a field of type `{}` cannot hold this value", read.kind));
    }
    constant_hint(&single.holds, &texts(values))
}

fn constant_hint(predicate: &Predicate, texts: &[&str]) -> Option<String> {
    match predicate {
        Predicate::And(list) | Predicate::Or(list) => list.iter().find_map(|one| constant_hint(one, texts)),
        Predicate::Test(test) => match &test.kind {
            TestKind::OneOf(set) => set.texts().iter().find_map(|wanted| {
                let by_case = texts.iter().find(|text| text.eq_ignore_ascii_case(wanted));
                let as_pattern = || {
                    let pattern = Wildcard::new(wanted, true);
                    wanted.contains(['*', '?']) && texts.iter().any(|text| pattern.matches(text))
                };
                match by_case {
                    Some(text) => Some(format!("`{text}` and `{wanted}` differ in case only")),
                    None if as_pattern() => Some(format!(
                        "`{wanted}` is compared letter by letter: `*` and `?` stand for themselves"
                    )),
                    None => None,
                }
            }),
            TestKind::Wildcard(patterns) => patterns.iter().find_map(|pattern| {
                let folded = Wildcard::new(pattern.text(), true);
                let text = texts.iter().find(|text| !pattern.ignores_case() && folded.matches(text))?;
                Some(format!("`{text}` and `{}` differ in case only", pattern.text()))
            }),
            _ => None,
        },
        _ => None,
    }
}
