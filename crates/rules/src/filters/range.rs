//! `range` queries.

use maxspan_event::Field;
use maxspan_event::date::DateFormat;
use maxspan_kql::ast::{LiteralKind, RangeOp};
use maxspan_kql::range_test;
use maxspan_plan::{Predicate, TestKind};
use serde_json::{Map, Value};

use super::{FilterContext, cannot_hold, only, scalar_text};

const OPTIONS: [&str; 11] = [
    "lt",
    "lte",
    "gt",
    "gte",
    "from",
    "to",
    "include_lower",
    "include_upper",
    "format",
    "time_zone",
    "relation",
];

impl FilterContext<'_> {
    pub(super) fn range(&mut self, name: &str, bounds: &Map<String, Value>) -> Result<Predicate, String> {
        only("range", bounds, &OPTIONS)?;
        let field = self.field(name)?;
        check_time_zone(bounds)?;
        if bounds.get("relation").is_some_and(|relation| relation.as_str() != Some("intersects")) {
            return Err("a range with a `relation`".to_owned());
        }
        let slot = self.fields.slot(&field);
        let mut tests = Vec::new();
        for bound in [lower(bounds)?, upper(bounds)?].into_iter().flatten() {
            let (op, value) = bound;
            let text = scalar_text(value).ok_or("a range whose bound is no scalar")?;
            check_format(bounds, &field, &text)?;
            let test = range_test(&field, op, &LiteralKind::Text(text.clone()), self.now)
                .ok_or_else(|| cannot_hold(&field, &text))?;
            tests.push(Predicate::test(slot, test));
        }
        // Without bounds every value passes.
        if tests.is_empty() {
            tests.push(Predicate::test(slot, TestKind::Exists));
        }
        Ok(Predicate::and(tests))
    }
}

type Bound<'v> = Option<(RangeOp, &'v Value)>;

fn lower(bounds: &Map<String, Value>) -> Result<Bound<'_>, String> {
    let ops = (RangeOp::Greater, RangeOp::GreaterOrEqual);
    one_bound(bounds, ["gt", "gte", "from", "include_lower"], ops)
}

fn upper(bounds: &Map<String, Value>) -> Result<Bound<'_>, String> {
    let ops = (RangeOp::Less, RangeOp::LessOrEqual);
    one_bound(bounds, ["lt", "lte", "to", "include_upper"], ops)
}

/// One end of the range: `gt`, `gte`, or the old `from` with `include_lower`, of which null is no bound.
fn one_bound<'v>(
    bounds: &'v Map<String, Value>,
    [without, with, old, include]: [&str; 4],
    (op_without, op_with): (RangeOp, RangeOp),
) -> Result<Bound<'v>, String> {
    let included = match bounds.get(include) {
        None => None,
        Some(value) => Some(value.as_bool().ok_or_else(|| format!("a range with `{include}` {value}"))?),
    };
    match (bounds.get(without), bounds.get(with), bounds.get(old), included) {
        (None, None, None | Some(Value::Null), _) => Ok(None),
        (None, None, Some(value), Some(false)) => Ok(Some((op_without, value))),
        (None, None, Some(value), _) => Ok(Some((op_with, value))),
        (Some(value), None, None, None) => Ok(Some((op_without, value))),
        (None, Some(value), None, None) => Ok(Some((op_with, value))),
        _ => Err(format!("a range with more than one of `{without}`, `{with}`, `{old}` and `{include}`")),
    }
}

/// Only zones that are UTC under another name.
fn check_time_zone(bounds: &Map<String, Value>) -> Result<(), String> {
    match bounds.get("time_zone") {
        None => Ok(()),
        Some(zone) if matches!(zone.as_str(), Some("UTC" | "Z" | "+00:00")) => Ok(()),
        Some(zone) => Err(format!("a range with the time zone {zone}")),
    }
}

/// Only formats that read the bound as it is read without them.
fn check_format(bounds: &Map<String, Value>, field: &Field, text: &str) -> Result<(), String> {
    let Some(format) = bounds.get("format") else { return Ok(()) };
    let default = field.kind.is_date() && field.date_format == DateFormat::default();
    let is_epoch = text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    // Four digits are a year, more are milliseconds.
    let is_year = text.len() == 4 && is_epoch;
    let same = match format.as_str() {
        Some("strict_date_optional_time||epoch_millis") => true,
        Some("strict_date_optional_time") => !is_epoch || is_year,
        Some("epoch_millis") => text.starts_with("now") || (is_epoch && !is_year),
        _ => false,
    };
    if default && same { Ok(()) } else { Err(format!("a range with the format {format}")) }
}
