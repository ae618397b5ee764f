//! Exception items as predicates: an event that satisfies all entries of an item is excepted.
//!
//! Applied to events before sequences are matched (specification 4.6), so an exception can also undo the event that
//! would have broken a sequence.

use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Field, Fields, Schema};
use maxspan_kql::ast::LiteralKind;
use maxspan_kql::value_test;
use maxspan_plan::{Predicate, TestKind};

use crate::exceptions::{Entry, ExceptionItem, Operator};
use crate::load::ValueLists;

/// What lowering exceptions needs.
pub(crate) struct ExceptionContext<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) fields: &'a mut Fields,
    pub(crate) value_lists: &'a ValueLists,
    /// What `now` is, in nanoseconds since 1970.
    pub(crate) now: i64,
}

/// Whether an event is excepted by the item; an error names the value list that is missing.
pub(crate) fn lower_item(
    item: &ExceptionItem,
    context: &mut ExceptionContext<'_>,
) -> Result<Predicate, String> {
    let mut all = vec![context.operating_systems(&item.os_types)];
    for entry in &item.entries {
        all.push(context.entry(entry, "")?);
    }
    Ok(Predicate::and(all))
}

impl ExceptionContext<'_> {
    fn operating_systems(&mut self, os_types: &[String]) -> Predicate {
        if os_types.is_empty() {
            return Predicate::Constant(true);
        }
        let fields = ["host.os.type", "host.os.name.caseless"];
        Predicate::or(
            os_types
                .iter()
                .flat_map(|os| fields.map(|field| (field, os)))
                .map(|(field, os)| self.equals(field, os, ""))
                .collect::<Vec<_>>(),
        )
    }

    fn entry(&mut self, entry: &Entry, prefix: &str) -> Result<Predicate, String> {
        Ok(match entry {
            Entry::Match { field, value, operator } => turned(self.equals(field, value, prefix), *operator),
            Entry::MatchAny { field, values, operator } => {
                let any: Vec<Predicate> =
                    values.iter().map(|value| self.equals(field, value, prefix)).collect();
                turned(Predicate::or(any), *operator)
            }
            Entry::Wildcard { field, value, operator } => {
                let field = self.field(field, prefix);
                let test = TestKind::Wildcard(vec![Wildcard::with_escapes(value, false)]);
                turned(Predicate::test(self.fields.slot(&field), test), *operator)
            }
            Entry::Exists { field, operator } => {
                let field = self.field(field, prefix);
                turned(Predicate::test(self.fields.slot(&field), TestKind::Exists), *operator)
            }
            Entry::List { field, list_id, list_type, operator } => {
                turned(self.list(field, list_id, list_type)?, *operator)
            }
            Entry::Nested { field, entries } => self.nested(field, entries)?,
        })
    }

    /// The field of a name; inside a nested entry its values stand relative to the nested path.
    fn field(&self, name: &str, prefix: &str) -> Field {
        let mut field = self.schema.field(&format!("{prefix}{name}"));
        if let Some(path) = field.path.strip_prefix(prefix) {
            field.path = path.to_owned();
        }
        field
    }

    fn equals(&mut self, name: &str, value: &str, prefix: &str) -> Predicate {
        let field = self.field(name, prefix);
        let slot = self.fields.slot(&field);
        let test = value_test(&field, &LiteralKind::Quoted(value.to_owned()), self.now);
        test.map_or(Predicate::Constant(false), |test| Predicate::test(slot, test))
    }

    fn list(&mut self, name: &str, list_id: &str, list_type: &str) -> Result<Predicate, String> {
        let lists = self.value_lists;
        let Some(values) = lists.get(list_id) else { return Err(list_id.to_owned()) };
        let any = values.iter().map(|value| match value.split_once('-') {
            Some((from, to)) if list_type == "ip_range" => self.between(name, from, to),
            _ => self.equals(name, value, ""),
        });
        Ok(Predicate::or(any.collect::<Vec<_>>()))
    }

    /// `10.0.0.1-10.0.0.9`, both included.
    fn between(&mut self, name: &str, from: &str, to: &str) -> Predicate {
        use maxspan_kql::ast::RangeOp::{GreaterOrEqual, LessOrEqual};
        let field = self.schema.field(name);
        let slot = self.fields.slot(&field);
        let bound = |op, text: &str| {
            let value = LiteralKind::Text(text.trim().to_owned());
            let test = maxspan_kql::range_test(&field, op, &value, self.now);
            test.map_or(Predicate::Constant(false), |test| Predicate::test(slot, test))
        };
        Predicate::and([bound(GreaterOrEqual, from), bound(LessOrEqual, to)])
    }

    fn nested(&mut self, path: &str, entries: &[Entry]) -> Result<Predicate, String> {
        let mut inner_fields = Fields::default();
        let mut inner = ExceptionContext {
            schema: self.schema,
            fields: &mut inner_fields,
            value_lists: self.value_lists,
            now: self.now,
        };
        let prefix = format!("{path}.");
        let all: Result<Vec<Predicate>, String> =
            entries.iter().map(|entry| inner.entry(entry, &prefix)).collect();
        let predicate = Predicate::and(all?);
        Ok(Predicate::Nested(self.fields.nested(path, inner_fields), Box::new(predicate)))
    }
}

fn turned(predicate: Predicate, operator: Operator) -> Predicate {
    if operator == Operator::Excluded { predicate.negate() } else { predicate }
}
