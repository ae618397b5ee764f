//! The times between which a query looks at events: what `WHERE` says of `@timestamp` before the first command that looks at
//! several rows.

use maxspan_plan::CompareOp;

use crate::evaluate::Evaluator;
use crate::necessary::conditions;
use crate::query::{ColumnId, Expr, ExprKind, Query};
use crate::value::Value;

/// The first and the last millisecond that an event can have and still play a part, as nanoseconds since 1970; an end that
/// the query leaves open is none. Events without a time are not told apart by it.
pub fn time_window(query: &Query, now_ms: i64) -> (Option<i64>, Option<i64>) {
    let mut evaluator = Evaluator::new(now_ms, query.zone.clone());
    let mut window = Window { from: None, to: None };
    for (scan, condition) in conditions(query) {
        let time = scan.fields.iter().find(|(_, name)| name == "@timestamp");
        if let Some((time, _)) = time {
            window.narrow(condition, *time, &mut evaluator);
        }
    }
    let nanos = |millis: i64| millis.saturating_mul(1_000_000);
    (window.from.map(nanos), window.to.map(nanos))
}

/// In milliseconds, both included.
struct Window {
    from: Option<i64>,
    to: Option<i64>,
}

impl Window {
    fn narrow(&mut self, condition: &Expr, time: ColumnId, evaluator: &mut Evaluator) {
        match &condition.kind {
            ExprKind::And(all) => all.iter().for_each(|one| self.narrow(one, time, evaluator)),
            ExprKind::Compare(op, left, right) => {
                let is_time = |expr: &Expr| matches!(&expr.kind, ExprKind::Column(id) if *id == time);
                if is_time(left) {
                    self.bound(*op, instant(right, evaluator));
                } else if is_time(right) {
                    self.bound(op.mirrored(), instant(left, evaluator));
                }
            }
            _ => {}
        }
    }

    fn bound(&mut self, op: CompareOp, millis: Option<i64>) {
        let Some(millis) = millis else { return };
        let least = |from: i64| self.from.map_or(from, |other| other.max(from));
        let most = |to: i64| self.to.map_or(to, |other| other.min(to));
        match op {
            CompareOp::Equal => (self.from, self.to) = (Some(least(millis)), Some(most(millis))),
            CompareOp::Greater => self.from = Some(least(millis.saturating_add(1))),
            CompareOp::GreaterOrEqual => self.from = Some(least(millis)),
            CompareOp::Less => self.to = Some(most(millis.saturating_sub(1))),
            CompareOp::LessOrEqual => self.to = Some(most(millis)),
            CompareOp::NotEqual => {}
        }
    }
}

/// The instant that an expression without columns stands for.
fn instant(expr: &Expr, evaluator: &mut Evaluator) -> Option<i64> {
    let mut reads = false;
    expr.for_each_column(&mut |_| reads = true);
    match evaluator.evaluate(expr, &[]) {
        Value::Date(millis) if !reads => Some(millis),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use maxspan_diagnostics::Source;

    use super::*;
    use crate::{EventSchema, analyze, parse};

    #[test]
    fn windows_follow_from_what_must_hold() {
        let check = |text: &str, from: Option<i64>, to: Option<i64>| {
            let (tree, found) = parse(text);
            assert!(found.is_empty(), "{text}: {found:?}");
            let schema = EventSchema::new(maxspan_event::Schema::built_in());
            let (query, found) = analyze(&tree, &Source::new("query", text), &schema);
            let query = query.unwrap_or_else(|| panic!("{text}: {found:?}"));
            let nanos = |millis: Option<i64>| millis.map(|millis| millis * 1_000_000);
            assert_eq!(time_window(&query, 1_000_000), (nanos(from), nanos(to)), "{text}");
        };
        check("FROM a", None, None);
        check(r#"FROM a | WHERE @timestamp >= "1970-01-01T00:00:01Z""#, Some(1_000), None);
        check(r#"FROM a | WHERE "1970-01-01T00:00:01Z" < @timestamp"#, Some(1_001), None);
        check("FROM a | WHERE @timestamp > NOW() - 10 seconds AND process.pid == 1", Some(990_001), None);
        check(
            r#"FROM a | WHERE @timestamp >= "1970-01-01T00:00:01Z" | WHERE @timestamp < "1970-01-01T00:00:02Z""#,
            Some(1_000),
            Some(1_999),
        );
        check(r#"FROM a | WHERE @timestamp == "1970-01-01T00:00:01Z""#, Some(1_000), Some(1_000));
        check(r#"FROM a | WHERE @timestamp > "1970-01-01T00:00:01Z" OR process.pid == 1"#, None, None);
        check(r#"FROM a | STATS m = MAX(@timestamp) | WHERE m > "1970-01-01T00:00:01Z""#, None, None);
        check(r#"FROM a | LIMIT 1 | WHERE @timestamp > "1970-01-01T00:00:01Z""#, None, None);
    }
}
