//! Constants as values of the field that they are compared with.

use maxspan_event::{Cidr, Field, FieldType, Slot, Value, date, parse_ip};
use maxspan_plan::{Datum, Predicate, RangeOp, TestKind, ValueSet};

use super::Lowering;

impl Lowering<'_> {
    /// Some value of the field equals one of the constants.
    pub(super) fn equals_any(
        &mut self,
        field: &Field,
        constants: &[Datum<'static>],
        ignore_case: bool,
    ) -> Predicate {
        let slot = self.fields.slot(field);
        let mut values = Vec::new();
        let mut tests = Vec::new();
        for constant in constants {
            match (field.kind, constant) {
                (FieldType::Ip, Datum::Text(text)) if text.contains('/') => {
                    tests.extend(Cidr::parse(text).map(|block| TestKind::Cidr(vec![block])));
                }
                (FieldType::Date | FieldType::DateNanos, constant) => {
                    tests.extend(self.date_range(field, constant));
                }
                (_, constant) => values.extend(values_of(field, constant)),
            }
        }
        if !values.is_empty() {
            tests.push(TestKind::OneOf(ValueSet::new(values, ignore_case)));
        }
        Predicate::or(tests.into_iter().map(|kind| Predicate::test(slot, kind)))
    }

    /// Some value of the field compares like this with the constant; never, when the constant has no such type.
    pub(super) fn ordered(
        &mut self,
        slot: Slot,
        field: &Field,
        op: RangeOp,
        constant: &Datum<'static>,
    ) -> Predicate {
        let bound = match (field.kind, constant) {
            (FieldType::Date | FieldType::DateNanos, constant) => {
                let up = matches!(op, RangeOp::Greater | RangeOp::LessOrEqual);
                let instant = self.instant(field, constant, up);
                let test = instant.map(|nanos| TestKind::instant(op, nanos, field.kind));
                return test.map_or(Predicate::Constant(false), |test| Predicate::test(slot, test));
            }
            (
                FieldType::Long | FieldType::UnsignedLong | FieldType::Double | FieldType::Unknown,
                constant,
            ) if constant.as_double().is_some() => number(constant),
            (FieldType::Ip, Datum::Text(text)) => parse_ip(text).map(Value::Ip),
            (FieldType::Version, Datum::Text(text)) => Some(Value::Version(text.as_ref().into())),
            (FieldType::Boolean, Datum::Boolean(value)) => Some(Value::Boolean(*value)),
            (kind, Datum::Text(text)) if kind.is_string() || kind == FieldType::Unknown => {
                let text =
                    if field.lowercase { maxspan_event::wildcard::fold(text) } else { text.as_ref().into() };
                Some(Value::text(text))
            }
            _ => None,
        };
        bound.map_or(Predicate::Constant(false), |bound| Predicate::test(slot, TestKind::Compare(op, bound)))
    }

    /// The instants that a date constant covers: a day, where only a day is written.
    fn date_range(&self, field: &Field, constant: &Datum<'static>) -> Option<TestKind> {
        let (from, to) = (self.instant(field, constant, false)?, self.instant(field, constant, true)?);
        Some(TestKind::instants(from, to, field.kind))
    }

    fn instant(&self, field: &Field, constant: &Datum<'static>, round_up: bool) -> Option<i64> {
        match constant {
            Datum::Text(text) => date::parse_bound(text, &field.date_format, self.options.now, round_up),
            Datum::Long(number) => field.date_format.parse_number(*number),
            _ => None,
        }
    }
}

fn number(constant: &Datum<'static>) -> Option<Value> {
    match constant {
        Datum::Long(value) => Some(Value::Long(*value)),
        Datum::Unsigned(value) => Some(Value::Unsigned(*value)),
        Datum::Double(value) => Some(Value::Double(*value)),
        _ => None,
    }
}

/// The values of a field that equal a constant; none when the field's type cannot hold it.
fn values_of(field: &Field, constant: &Datum<'static>) -> Vec<Value> {
    let text = || constant.to_text().map(|text| Value::text(text.as_ref()));
    let value = match field.kind {
        FieldType::Long | FieldType::UnsignedLong | FieldType::Double => number(constant),
        FieldType::Boolean => match constant {
            Datum::Boolean(value) => Some(Value::Boolean(*value)),
            Datum::Text(text) => text.parse().ok().map(Value::Boolean),
            _ => None,
        },
        FieldType::Ip => constant.as_text().and_then(parse_ip).map(Value::Ip),
        FieldType::Version => constant.as_text().map(|text| Value::Version(text.into())),
        FieldType::Unknown => return ValueSet::untyped(constant),
        _ if field.lowercase => {
            constant.as_text().map(|text| Value::text(maxspan_event::wildcard::fold(text)))
        }
        _ => text(),
    };
    value.into_iter().collect()
}
