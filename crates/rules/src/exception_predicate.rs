//! Exception items as predicates: an event that satisfies all entries of an item is excepted.
//!
//! Applied to events before sequences are matched (specification 4.6), so an exception can also undo the event that
//! would have broken a sequence. An item with a value that its field cannot hold is not applied: turned around, such
//! an entry would except every event.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use maxspan_event::wildcard::{Wildcard, fold};
use maxspan_event::{Cidr, Field, FieldType, Fields, Schema, Value};
use maxspan_kql::ast::LiteralKind;
use maxspan_kql::value_test;
use maxspan_plan::{Predicate, TestKind, ValueSet};

use crate::exceptions::{Entry, ExceptionItem, Operator};
use crate::load::ValueLists;

/// What lowering exceptions needs.
pub(crate) struct ExceptionContext<'a> {
    schema: &'a Schema,
    fields: &'a mut Fields,
    value_lists: &'a ValueLists,
    /// What `now` is, in nanoseconds since 1970.
    now: i64,
    /// What is to be said about value lists that are applied all the same.
    pub(crate) notes: Vec<String>,
}

/// Why an item is not applied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotApplied {
    /// The value list of that id is not there.
    ListMissing(String),
    /// An entry that cannot be translated; says what it has.
    Entry(String),
}

/// Whether an event is excepted by the item.
pub(crate) fn lower_item(
    item: &ExceptionItem,
    context: &mut ExceptionContext<'_>,
) -> Result<Predicate, NotApplied> {
    let mut all = vec![context.operating_systems(&item.os_types)?];
    for entry in &item.entries {
        all.push(context.entry(entry, "")?);
    }
    Ok(Predicate::and(all))
}

impl<'a> ExceptionContext<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        fields: &'a mut Fields,
        value_lists: &'a ValueLists,
        now: i64,
    ) -> Self {
        Self { schema, fields, value_lists, now, notes: Vec::new() }
    }

    fn operating_systems(&mut self, os_types: &[String]) -> Result<Predicate, NotApplied> {
        if os_types.is_empty() {
            return Ok(Predicate::Constant(true));
        }
        let fields = ["host.os.type", "host.os.name.caseless"];
        let either: Result<Vec<_>, _> =
            fields.iter().map(|name| self.equals_any(&self.schema.field(name), os_types)).collect();
        Ok(Predicate::or(either?))
    }

    fn entry(&mut self, entry: &Entry, prefix: &str) -> Result<Predicate, NotApplied> {
        Ok(match entry {
            Entry::Match { field, value, operator } => {
                let field = self.field(field, prefix);
                turned(self.equals_any(&field, std::slice::from_ref(value))?, *operator)
            }
            Entry::MatchAny { field, values, operator } => {
                let field = self.field(field, prefix);
                turned(self.equals_any(&field, values)?, *operator)
            }
            Entry::Wildcard { field, value, operator } => {
                let field = self.field(field, prefix);
                turned(self.wildcard(&field, value)?, *operator)
            }
            Entry::Exists { field, operator } => {
                let field = self.field(field, prefix);
                turned(Predicate::test(self.fields.slot(&field), TestKind::Exists), *operator)
            }
            Entry::List { field, list_id, list_type, operator } => {
                turned(self.list(field, list_id, list_type, *operator)?, *operator)
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

    /// Whether the field has one of the values; each must be one that it can hold.
    fn equals_any(&mut self, field: &Field, values: &[String]) -> Result<Predicate, NotApplied> {
        let (predicate, refused) = self.one_of(field, values.iter().map(String::as_str));
        match refused.first() {
            Some(value) => {
                let kind = field.kind.name();
                let what = format!("`{value}`, which `{}` of type `{kind}` cannot hold", field.name);
                Err(NotApplied::Entry(what))
            }
            None => Ok(predicate),
        }
    }

    /// Whether the field has one of the values, as one test where that can be; and the values that it cannot hold.
    fn one_of<'v>(
        &mut self,
        field: &Field,
        values: impl Iterator<Item = &'v str>,
    ) -> (Predicate, Vec<&'v str>) {
        let (mut constants, mut blocks, mut others, mut refused) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for value in values {
            match value_test(field, &LiteralKind::Quoted(value.to_owned()), self.now) {
                Some(TestKind::OneOf(set)) => {
                    constants.extend(set.texts().into_iter().map(Value::text));
                    constants.extend(set.others().iter().cloned());
                }
                Some(TestKind::Cidr(more)) => blocks.extend(more),
                Some(other) => others.push(other),
                None => refused.push(value),
            }
        }
        let mut tests = Vec::new();
        if !constants.is_empty() {
            tests.push(TestKind::OneOf(ValueSet::new(constants, false)));
        }
        if !blocks.is_empty() {
            tests.push(TestKind::Cidr(blocks));
        }
        tests.extend(others);
        let slot = self.fields.slot(field);
        (Predicate::or(tests.into_iter().map(|test| Predicate::test(slot, test))), refused)
    }

    fn wildcard(&mut self, field: &Field, pattern: &str) -> Result<Predicate, NotApplied> {
        let strings = field.kind.is_string() || matches!(field.kind, FieldType::Version | FieldType::Unknown);
        if !strings {
            let what = format!("a wildcard on `{}` of type `{}`", field.name, field.kind.name());
            return Err(NotApplied::Entry(what));
        }
        let pattern = if field.lowercase { fold(pattern) } else { pattern.into() };
        let test = TestKind::Wildcard(vec![Wildcard::with_escapes(&pattern, false)]);
        Ok(Predicate::test(self.fields.slot(field), test))
    }

    fn list(
        &mut self,
        name: &str,
        list_id: &str,
        list_type: &str,
        operator: Operator,
    ) -> Result<Predicate, NotApplied> {
        let lists = self.value_lists;
        let values = lists.get(list_id).ok_or_else(|| NotApplied::ListMissing(list_id.to_owned()))?;
        let values = values.iter().map(String::as_str);
        let field = self.schema.field(name);
        let addresses = matches!(list_type, "ip" | "ip_range");
        let (predicate, refused) = match field.kind {
            FieldType::Ip | FieldType::Unknown if addresses => {
                self.addresses(&field, values, list_type == "ip_range")
            }
            kind if list_type == "ip_range" => {
                let what = format!("a list of address ranges for `{name}` of type `{}`", kind.name());
                return Err(NotApplied::Entry(what));
            }
            _ => self.one_of(&field, values),
        };
        let Some(first) = refused.first() else { return Ok(predicate) };
        let count = refused.len();
        let noun = if count == 1 { "value" } else { "values" };
        let what =
            format!("{count} {noun} of the list `{list_id}` that `{name}` cannot hold, such as `{first}`");
        // "Not in the list": what a value was meant to keep out of the exception would be in it.
        if operator == Operator::Excluded {
            return Err(NotApplied::Entry(what));
        }
        self.notes.push(what);
        Ok(predicate)
    }

    /// Whether the field has an address of the list; and the lines that are none.
    fn addresses<'v>(
        &mut self,
        field: &Field,
        lines: impl Iterator<Item = &'v str>,
        may_be_ranges: bool,
    ) -> (Predicate, Vec<&'v str>) {
        let (mut blocks, mut refused) = (Vec::new(), Vec::new());
        for line in lines {
            match line.split_once('-').filter(|_| may_be_ranges) {
                Some((from, to)) => match range_blocks(from.trim(), to.trim()) {
                    Some(more) => blocks.extend(more),
                    None => refused.push(line),
                },
                None => match Cidr::parse(line) {
                    Some(block) => blocks.push(block),
                    None => refused.push(line),
                },
            }
        }
        if blocks.is_empty() {
            return (Predicate::Constant(false), refused);
        }
        (Predicate::test(self.fields.slot(field), TestKind::Cidr(blocks)), refused)
    }

    fn nested(&mut self, path: &str, entries: &[Entry]) -> Result<Predicate, NotApplied> {
        let mut inner_fields = Fields::default();
        let mut inner = ExceptionContext::new(self.schema, &mut inner_fields, self.value_lists, self.now);
        let prefix = format!("{path}.");
        let all: Result<Vec<Predicate>, _> =
            entries.iter().map(|entry| inner.entry(entry, &prefix)).collect();
        let predicate = Predicate::and(all?);
        Ok(Predicate::Nested(self.fields.nested(path, inner_fields), Box::new(predicate)))
    }
}

fn turned(predicate: Predicate, operator: Operator) -> Predicate {
    if operator == Operator::Excluded { predicate.negate() } else { predicate }
}

/// The blocks that make up the addresses from one to another, both included; none where these are not two addresses
/// of one kind in order.
fn range_blocks(from: &str, to: &str) -> Option<Vec<Cidr>> {
    let (first, last, width) = match (from.parse().ok()?, to.parse().ok()?) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (u128::from(from.to_bits()), u128::from(to.to_bits()), 32),
        (IpAddr::V6(from), IpAddr::V6(to)) => (from.to_bits(), to.to_bits(), 128),
        _ => return None,
    };
    let mut blocks = Vec::new();
    let mut next = Some(first).filter(|first| *first <= last)?;
    loop {
        // The largest block that begins here and ends within the range.
        let host_bits =
            (0..=next.trailing_zeros().min(width)).rev().find(|bits| last - next >= mask(*bits)).unwrap_or(0);
        let address = match width {
            32 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(next).ok()?)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(next)),
        };
        blocks.push(Cidr::parse(&format!("{address}/{}", width - host_bits))?);
        match next.checked_add(mask(host_bits)).and_then(|end| end.checked_add(1)) {
            Some(after) if after <= last => next = after,
            _ => return Some(blocks),
        }
    }
}

/// So many bits from the right.
fn mask(bits: u32) -> u128 {
    1_u128.checked_shl(bits).map_or(u128::MAX, |power| power - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use std::sync::Arc;

    use maxspan_diagnostics::Source;
    use maxspan_event::{Decoder, Slots};
    use maxspan_plan::Environment;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kibana_rules::parse_ndjson;

    /// Whether the item with these entries excepts the event; else why it is not applied. And the notes.
    fn excepts(changes: Json, document: Json) -> (Result<bool, NotApplied>, Vec<String>) {
        let mut item = json!({"list_id": "l", "item_id": "i", "entries": []});
        item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let file = parse_ndjson(&Arc::new(Source::new("items.ndjson", item.to_string())));
        let mut lists = ValueLists::default();
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect();
        lists.insert("ips".to_owned(), lines("10.0.0.1 x 10.1.0.0/16 10.2.0.5-10.2.0.9"));
        lists.insert(
            "ranges".to_owned(),
            lines("10.2.0.5-10.2.3.9 10.2.0.9-10.2.0.5 10.0.0.0-:: 192.168.0.0/24 ::1-::ffff"),
        );
        lists.insert("names".to_owned(), lines("a.exe b.exe"));
        let schema = Schema::built_in();
        let mut fields = Fields::default();
        let mut context = ExceptionContext::new(&schema, &mut fields, &lists, 0);
        let lowered = lower_item(&file.items[0], &mut context);
        let notes = context.notes;
        let holds = lowered.map(|predicate| {
            let mut slots = Slots::default();
            Decoder::new(fields, schema).decode(document.to_string().as_bytes(), &mut slots).unwrap();
            predicate.holds(Environment::new(&slots))
        });
        (holds, notes)
    }

    #[track_caller]
    fn check(entry: Json, document: Json, expected: bool) {
        let found = excepts(json!({"entries": [entry.clone()]}), document.clone());
        assert_eq!(found.0, Ok(expected), "{entry} on {document}");
    }

    #[track_caller]
    fn check_refused(entry: Json, expected: &str) {
        let found = excepts(json!({"entries": [entry.clone()]}), json!({}));
        assert_eq!(found.0, Err(NotApplied::Entry(expected.to_owned())), "{entry}");
    }

    fn entry(kind: &str, field: &str, value: Json, operator: &str) -> Json {
        json!({"field": field, "type": kind, "value": value, "operator": operator})
    }

    fn list(field: &str, id: &str, list_type: &str, operator: &str) -> Json {
        json!({"field": field, "type": "list", "list": {"id": id, "type": list_type}, "operator": operator})
    }

    #[test]
    fn entries_are_applied() {
        let event = json!({"process": {"name": "CMD.exe", "pid": 7}, "source.ip": "10.0.0.1"});
        let check = |entry: Json, expected: bool| check(entry, event.clone(), expected);
        check(entry("match", "process.name", json!("CMD.exe"), "included"), true);
        check(entry("match", "process.name", json!("cmd.exe"), "included"), false);
        check(entry("match", "process.name.caseless", json!("Cmd.exe"), "included"), true);
        check(entry("match_any", "process.pid", json!(["8", "7"]), "included"), true);
        check(entry("match_any", "source.ip", json!(["10.9.0.0/16", "10.0.0.1"]), "included"), true);
        check(entry("match_any", "source.ip", json!(["10.9.0.0/16", "10.0.0.1"]), "excluded"), false);
        check(entry("wildcard", "process.name", json!("cmd*"), "included"), false);
        check(entry("wildcard", "process.name.caseless", json!("Cmd*"), "included"), true);
        check(entry("exists", "user.name", json!(null), "excluded"), true);
    }

    #[test]
    fn operating_systems_are_alternatives() {
        let check = |document: Json, expected: bool| {
            let entries = json!([entry("exists", "a", json!(null), "included")]);
            let item = json!({"os_types": ["windows", "linux"], "entries": entries});
            assert_eq!(excepts(item, document.clone()).0, Ok(expected), "{document}");
        };
        check(json!({"a": 1, "host.os.type": "windows"}), true);
        check(json!({"a": 1, "host.os.name": "Linux"}), true);
        check(json!({"a": 1, "host.os.type": "macos"}), false);
    }

    #[test]
    fn an_item_that_cannot_be_translated_is_not_applied() {
        let cannot = "`abc`, which `process.pid` of type `long` cannot hold";
        check_refused(entry("match", "process.pid", json!("abc"), "excluded"), cannot);
        check_refused(entry("match_any", "process.pid", json!(["1", "abc"]), "included"), cannot);
        check_refused(
            entry("wildcard", "source.ip", json!("10.*"), "included"),
            "a wildcard on `source.ip` of type `ip`",
        );
        check_refused(
            list("source.ip", "names", "keyword", "excluded"),
            "2 values of the list `names` that `source.ip` cannot hold, such as `a.exe`",
        );
        check_refused(
            list("process.name", "ips", "ip_range", "included"),
            "a list of address ranges for `process.name` of type `keyword`",
        );
        let found = excepts(json!({"entries": [list("a", "gone", "ip", "included")]}), json!({}));
        assert_eq!(found.0, Err(NotApplied::ListMissing("gone".to_owned())));
    }

    #[test]
    fn good_lines_of_value_lists_are_applied() {
        let check = |list: Json, field: &str, value: &str, expected: bool, note: &str| {
            let (holds, notes) = excepts(json!({"entries": [list]}), json!({field: value}));
            assert_eq!((holds, notes.join("; ").as_str()), (Ok(expected), note), "{value}");
        };
        let note = "2 values of the list `ips` that `source.ip` cannot hold, such as `x`";
        check(list("source.ip", "ips", "ip", "included"), "source.ip", "10.0.0.1", true, note);
        check(list("source.ip", "ips", "ip", "included"), "source.ip", "10.1.7.7", true, note);
        check(list("source.ip", "ips", "ip", "included"), "source.ip", "10.2.0.7", false, note);
        let note = "1 value of the list `ips` that `source.ip` cannot hold, such as `x`";
        check(list("source.ip", "ips", "ip_range", "included"), "source.ip", "10.2.0.7", true, note);
        let note = "2 values of the list `ranges` that `own.ip` cannot hold, such as `10.2.0.9-10.2.0.5`";
        for (address, expected) in [
            ("10.2.0.4", false),
            ("10.2.0.5", true),
            ("10.2.2.255", true),
            ("10.2.3.9", true),
            ("10.2.3.10", false),
            ("192.168.0.7", true),
            ("::1", true),
            ("::ffff", true),
            ("::1:0", false),
        ] {
            check(list("own.ip", "ranges", "ip_range", "included"), "own.ip", address, expected, note);
        }
        check(list("process.name", "names", "keyword", "included"), "process.name", "b.exe", true, "");
        check(list("process.name", "names", "keyword", "excluded"), "process.name", "b.exe", false, "");
    }

    #[test]
    fn a_value_list_is_one_test() {
        let schema = Schema::built_in();
        let mut fields = Fields::default();
        let mut lists = ValueLists::default();
        lists.insert("many".to_owned(), (0..500).map(|n| format!("name-{n}")).collect());
        lists.insert("ranges".to_owned(), vec!["0.0.0.0-255.255.255.255".into(), "::-ffff::".into()]);
        let mut context = ExceptionContext::new(&schema, &mut fields, &lists, 0);
        for (field, list, list_type) in
            [("process.name", "many", "keyword"), ("source.ip", "ranges", "ip_range")]
        {
            let lowered = context.list(field, list, list_type, Operator::Included);
            assert!(matches!(lowered, Ok(Predicate::Test(_))), "{list}");
        }
        let blocks = range_blocks("0.0.0.0", "255.255.255.255").map(|blocks| blocks.len());
        assert_eq!(blocks, Some(1));
        let blocks = range_blocks("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").map(|blocks| blocks.len());
        assert_eq!(blocks, Some(1));
    }
}
