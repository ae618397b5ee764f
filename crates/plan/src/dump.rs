//! A plan as text, for tests and `--explain` outputs: one line a step, conditions as nested lists.

use std::fmt::Write;

use maxspan_event::{Fields, Slot, Value};

use crate::datum::Datum;
use crate::expr::Expr;
use crate::grouped::Windows;
use crate::indicators::MappingEntry;
use crate::predicate::{Predicate, TestKind, ValueSet};
use crate::stream::{Plan, PlanKind, Step};

/// The whole plan.
pub fn plan(plan: &Plan, fields: &Fields) -> String {
    let mut out = String::new();
    match &plan.kind {
        PlanKind::Events(condition) => out.push_str(&format!("events {}\n", predicate(condition, fields))),
        PlanKind::Sequence(sequence) => {
            let span = sequence.maxspan_ms.map_or_else(String::new, |millis| format!(" maxspan={millis}ms"));
            out.push_str(&format!("sequence{span}\n"));
            sequence.steps.iter().for_each(|one| step(&mut out, "  ", one, fields));
            sequence.until.iter().for_each(|one| step(&mut out, "  until ", one, fields));
        }
        PlanKind::Sample(sample) => {
            out.push_str("sample\n");
            sample.steps.iter().for_each(|one| step(&mut out, "  ", one, fields));
        }
        PlanKind::Grouped(grouped) => {
            out.push_str(&format!("groups {:?} {}\n", grouped.test, window(grouped.windows)));
            grouped.steps.iter().for_each(|one| step(&mut out, "  ", one, fields));
        }
        PlanKind::Indicators(indicators) => {
            out.push_str(&format!("indicators {}\n", window(indicators.windows)));
            indicators.steps.iter().for_each(|one| step(&mut out, "  ", one, fields));
            for group in &indicators.groups {
                let pairs: Vec<String> = group.entries.iter().map(|entry| pair(entry, fields)).collect();
                out.push_str(&format!("  mapping {}\n", pairs.join(" and ")));
            }
            for bound in &indicators.bounds {
                out.push_str(&format!("  bound {} {bound:?}\n", name(fields, bound.slot())));
            }
        }
    }
    for (index, lineage) in plan.lineage.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ =
            writeln!(out, "lineage {index} {:?} {}", lineage.relation, predicate(&lineage.predicate, fields));
    }
    for limit in &plan.limits {
        let _ = writeln!(out, "{limit:?}");
    }
    out
}

fn window(windows: Windows) -> String {
    let Windows { interval_ms, from_ms, to_ms, anchor_ms, .. } = windows;
    let runs =
        if windows.is_alone() { format!("once at {anchor_ms}ms") } else { format!("every {interval_ms}ms") };
    format!("{runs} over {from_ms}ms..{to_ms}ms")
}

fn pair(entry: &MappingEntry, fields: &Fields) -> String {
    let op = if entry.negated { "!=" } else { "==" };
    format!("{} {op} {} ({:?})", name(fields, entry.event), name(fields, entry.indicator), entry.form)
}

fn step(out: &mut String, indent: &str, step: &Step, fields: &Fields) {
    let missing = if step.missing { "missing " } else { "" };
    let keys: Vec<String> = step
        .keys
        .iter()
        .map(|key| format!("{}{}", if key.optional { "?" } else { "" }, name(fields, key.slot)))
        .collect();
    let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
    let _ = writeln!(out, "{indent}{missing}{}{by}", predicate(&step.predicate, fields));
}

/// One condition.
pub fn predicate(condition: &Predicate, fields: &Fields) -> String {
    let list = |op: &str, inner: &[Predicate]| {
        let inner: Vec<String> = inner.iter().map(|one| predicate(one, fields)).collect();
        format!("({op} {})", inner.join(" "))
    };
    match condition {
        Predicate::Constant(value) => value.to_string(),
        Predicate::And(all) => list("and", all),
        Predicate::Or(any) => list("or", any),
        Predicate::Not(inner) => format!("(not {})", predicate(inner, fields)),
        Predicate::Test(test) => test_kind(&name(fields, test.slot), &test.kind),
        Predicate::Script(expr) => format!("(script {})", expression(expr, fields)),
        Predicate::Leaves(leaves) => {
            let fields = leaves.fields.as_ref().map_or("*", |pattern| pattern.text());
            let test = leaves.tests.unknown.as_ref().or(leaves.tests.text.as_ref());
            format!("(leaves {})", test.map_or_else(|| fields.to_owned(), |test| test_kind(fields, test)))
        }
        Predicate::Nested(_, inner) => format!("(nested {})", predicate(inner, &Fields::default())),
        Predicate::Lineage(id) => format!("(lineage {})", id.0),
    }
}

fn name(fields: &Fields, slot: Slot) -> String {
    if fields.is_empty() { format!("{slot:?}") } else { fields.field(slot).name.clone() }
}

fn test_kind(field: &str, kind: &TestKind) -> String {
    match kind {
        TestKind::Exists => format!("(exists {field})"),
        TestKind::OneOf(set) => format!("(in{} {field} {})", tilde(set.ignores_case()), values(set)),
        TestKind::Compare(op, bound) => format!("({} {field} {})", op.symbol(), value(bound)),
        TestKind::Between(from, to) => {
            format!("(between {field} {} {})", value(&Value::Date(*from)), value(&Value::Date(*to)))
        }
        TestKind::Wildcard(patterns) => {
            let texts: Vec<String> = patterns.iter().map(|one| format!("{:?}", one.text())).collect();
            format!(
                "(like{} {field} {})",
                tilde(patterns.iter().any(maxspan_event::wildcard::Wildcard::ignores_case)),
                texts.join(" ")
            )
        }
        TestKind::Regex(patterns) => {
            let texts: Vec<String> = patterns.iter().map(|one| format!("{:?}", one.text())).collect();
            format!(
                "(regex{} {field} {})",
                tilde(patterns.iter().any(super::pattern::regex::LuceneRegex::ignores_case)),
                texts.join(" ")
            )
        }
        TestKind::Cidr(blocks) => {
            let texts: Vec<String> = blocks.iter().map(|block| block.first().to_string()).collect();
            format!("(cidr {field} {})", texts.join(" "))
        }
        TestKind::Text(query) => {
            format!("(text {:?} {field} {:?})", query.mode(), query.texts().collect::<Vec<_>>())
        }
    }
}

fn tilde(ignore_case: bool) -> &'static str {
    if ignore_case { "~" } else { "" }
}

fn values(set: &ValueSet) -> String {
    let texts = set.texts().into_iter().map(|text| format!("{text:?}"));
    texts.chain(set.others().iter().map(value)).collect::<Vec<_>>().join(" ")
}

fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        other => Datum::from(other.borrowed()).to_text().unwrap_or_default().into_owned(),
    }
}

/// One expression.
pub fn expression(expr: &Expr, fields: &Fields) -> String {
    let one = |expr: &Expr| expression(expr, fields);
    let list =
        |op: &str, inner: &[Expr]| format!("({op} {})", inner.iter().map(one).collect::<Vec<_>>().join(" "));
    match expr {
        Expr::Constant(Datum::Text(text)) => format!("{text:?}"),
        Expr::Constant(datum) => {
            datum.to_text().map_or_else(|| "null".to_owned(), std::borrow::Cow::into_owned)
        }
        Expr::Field(slot) => name(fields, *slot),
        Expr::Call(function, arguments, ignore_case) => {
            list(&format!("{}{}", function.name, tilde(*ignore_case)), arguments)
        }
        Expr::Compare(op, left, right) => format!("({} {} {})", op.symbol(), one(left), one(right)),
        Expr::In(value, inner, ignore_case) => {
            list(&format!("in{} {}", tilde(*ignore_case), one(value)), inner)
        }
        Expr::Wildcard(value, patterns) => {
            let texts: Vec<String> = patterns.iter().map(|pattern| format!("{:?}", pattern.text())).collect();
            format!("(like {} {})", one(value), texts.join(" "))
        }
        Expr::Regex(value, patterns) => {
            let texts: Vec<String> = patterns.iter().map(|pattern| format!("{:?}", pattern.text())).collect();
            format!("(regex {} {})", one(value), texts.join(" "))
        }
        Expr::IsNull(inner) => format!("(null? {})", one(inner)),
        Expr::Not(inner) => format!("(not {})", one(inner)),
        Expr::And(all) => list("and", all),
        Expr::Or(any) => list("or", any),
    }
}
