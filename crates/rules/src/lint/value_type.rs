//! `MX1611` value-type: a comparison that the field's type gives another meaning than it seems to have, or none.
//!
//! What types forbid outright, the languages say themselves (`MX1203`, `MX1213`, `MX1305`). This is about what they
//! accept in silence.

use maxspan_diagnostics::{Diagnostic, codes};
use maxspan_event::{Cidr, FieldType, date, parse_ip};

use super::comparison::{Comparison, Constant, Operator};
use super::subject::Subject;
use crate::document::Language;

pub(super) fn check(subject: &mut Subject<'_>) {
    let is_eql = subject.rule.language == Some(Language::Eql);
    let mut found = Vec::new();
    for one in &subject.comparisons {
        let field = subject.schema.field(&one.field);
        let said = match field.kind {
            FieldType::Ip if is_eql => address(one),
            FieldType::Date | FieldType::DateNanos if is_eql => {
                let reads = |text: &str| date::parse_bound(text, &field.date_format, 0, false).is_some();
                instant(one, reads)
            }
            kind if kind.is_keyword() => order_of_strings(one, is_eql),
            _ => None,
        };
        let Some((message, help)) = said else { continue };
        let message = message.replace("FIELD", &one.field);
        found.push(Diagnostic::new(codes::LINT_VALUE_TYPE, one.value_span, message).with_help(help));
    }
    subject.say_all(found);
}

/// What is wrong and what to do; `FIELD` stands for the field's name.
type Said = Option<(&'static str, &'static str)>;

fn address(one: &Comparison) -> Said {
    let compared =
        matches!(one.operator, Operator::Equal | Operator::In | Operator::InAnyCase | Operator::Order);
    let text = one.text().filter(|_| compared)?;
    let reads = if text.contains('/') { Cidr::parse(text).is_some() } else { parse_ip(text).is_some() };
    (!reads)
        .then_some(("`FIELD` holds addresses, and this is none", "write an address or a block: `10.0.0.0/8`"))
}

fn instant(one: &Comparison, reads: impl Fn(&str) -> bool) -> Said {
    let text =
        one.text().filter(|_| matches!(one.operator, Operator::Equal | Operator::In | Operator::Order))?;
    (!reads(text))
        .then_some(("`FIELD` holds dates, and this is none", "write a date: `2026-01-31T12:00:00Z`"))
}

fn order_of_strings(one: &Comparison, is_eql: bool) -> Said {
    if one.operator != Operator::Order {
        return None;
    }
    match &one.value {
        Constant::Number if is_eql => {
            Some(("`FIELD` holds strings, which no number is compared with: this never holds", AS_NUMBER))
        }
        Constant::Text(text) if text.parse::<f64>().is_ok() => {
            Some(("`FIELD` holds strings: \"9\" comes after \"10\" in their order", AS_NUMBER))
        }
        _ => None,
    }
}

const AS_NUMBER: &str = "in EQL, compare `number(field)`; else choose a field that holds numbers";

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn types_that_do_not_fit() {
        check_eql("any where source.ip == \"10.*\"", &["MX1601", "MX1605 1:24", "MX1611 1:24 addresses"]);
        check_eql("any where source.ip in (\"10.0.0.1\", \"10.0.0.0/8\")", &["MX1609"]);
        check_eql("any where event.created == \"yesterday\"", &["MX1601", "MX1611 1:28 dates"]);
        check_eql("any where event.code > 4", &["MX1601", "MX1611 1:24 strings"]);
        check_eql("any where event.code > \"4\" and process.pid > 4", &["MX1611 1:24 strings"]);
        check_kql("event.code >= 4", &["MX1611 1:15 strings"]);
        check_kql("process.pid >= 4", &[]);
    }
}
