//! ENRICH and LOOKUP JOIN: which table, which columns, and whether they can be compared.

use maxspan_diagnostics::{Span, codes, nearest_names};

use super::Analysis;
use crate::ast::{self, Name};
use crate::query::{Column, ColumnId, Command, Lookup, LookupMatch, LookupTable};
use crate::schema::Policy;
use crate::types::{DATES, DataType, IPS, NUMBERS, TEXTS, Types};

/// What policies compare; points are those of policies over shapes, which are not there.
const ENRICHED: Types = TEXTS.or(IPS).or(NUMBERS).or(DATES);

impl Analysis<'_> {
    pub(super) fn enrich(&mut self, enrich: &ast::Enrich) {
        let (name, span) = (enrich.policy_name().to_owned(), enrich.policy.span);
        let Some(policy) = self.schema.policy(&name) else {
            if self.schema.lookup(&name).is_some() {
                let message = format!("the lookup table [{name}] is no policy: it has no field to match");
                let help = "load it with `--match-field`";
                return self.report_with_help(codes::ESQL_UNKNOWN_INDEX, span, message, help);
            }
            return self.unknown_lookup(&name, span, format!("there is no enrich policy [{name}]"));
        };
        let on = enrich.on.clone().unwrap_or_else(|| Name::plain(policy.matched.name.clone(), span));
        let Some(key) = self.resolve(&on) else { return };
        let Some(matches) = self.policy_match(key, &policy, &on) else { return };
        let wanted: Vec<(String, String, Span)> = if enrich.with.is_empty() {
            policy.columns.iter().map(|column| (column.name.clone(), column.name.clone(), span)).collect()
        } else {
            let named = enrich.with.iter();
            named
                .map(|(new, field)| (new.as_ref().unwrap_or(field).text(), field.text(), field.span))
                .collect()
        };
        let mut outputs = Vec::new();
        for (name, field, span) in wanted {
            let Some(column) = policy.columns.iter().find(|column| column.name == field) else {
                let message = format!("the policy has no field [{field}]");
                self.unknown_field(&field, &policy.columns, span, message);
                continue;
            };
            let id = self.add_column(&name, column.kind);
            self.define(&name, id);
            outputs.push((id, field));
        }
        let (table, keys) = (LookupTable::Policy(name), vec![(key, policy.matched.name)]);
        self.commands.push(Command::Lookup(Lookup { table, keys, outputs, matches, span }));
    }

    /// How a policy compares the column; reported where it cannot.
    fn policy_match(&mut self, key: ColumnId, policy: &Policy, on: &Name) -> Option<LookupMatch> {
        let looked_for = policy.ranges_of.unwrap_or(policy.matched.kind);
        let kind = self.asked_column(key, looked_for);
        if !ENRICHED.has(kind) {
            let kind = kind.name();
            let message =
                format!("ENRICH compares texts, numbers, dates and addresses, and this is [{kind}]");
            self.report(codes::ESQL_TYPE, on.span, message);
            return None;
        }
        let Some(in_ranges) = policy.ranges_of else {
            let is_same = comparable(kind, policy.matched.kind);
            return Some(if is_same { LookupMatch::Equal } else { LookupMatch::EqualTexts });
        };
        if !kind.is_text() && !comparable(kind, in_ranges) {
            let message = format!(
                "the policy looks into ranges of [{}], and this is [{}]",
                in_ranges.name(),
                kind.name()
            );
            self.report(codes::ESQL_TYPE, on.span, message);
            return None;
        }
        Some(LookupMatch::InRange(in_ranges))
    }

    pub(super) fn lookup_join(&mut self, join: &ast::LookupJoin) {
        let (table, span) = (join.table.text.clone(), join.table.span);
        let Some(columns) = self.schema.lookup(&table) else {
            let message = format!("there is no lookup index [{table}]");
            return self.unknown_lookup(&table, span, message);
        };
        let mut keys = Vec::new();
        for name in &join.on {
            let text = name.text();
            let column = columns.iter().find(|column| column.name == text);
            if column.is_none() {
                let message = format!("the lookup index has no field [{text}]");
                self.unknown_field(&text, &columns, name.span, message);
            }
            let (Some(key), Some(column)) = (self.resolve(name), column) else { continue };
            let kind = self.asked_column(key, column.kind);
            if !comparable(kind, column.kind) {
                let message = format!(
                    "[{text}] is [{}] here and [{}] in the lookup index",
                    kind.name(),
                    column.kind.name()
                );
                self.report_with_help(codes::ESQL_TYPE, name.span, message, "convert it before, with EVAL");
            }
            keys.push((key, text));
        }
        let mut outputs = Vec::new();
        for column in &columns {
            if keys.iter().any(|(_, key)| *key == column.name) {
                continue;
            }
            let id = self.add_column(&column.name, column.kind);
            self.define(&column.name, id);
            outputs.push((id, column.name.clone()));
        }
        let (table, matches) = (LookupTable::Index(table), LookupMatch::Equal);
        self.commands.push(Command::Lookup(Lookup { table, keys, outputs, matches, span }));
    }

    /// The type of a column; one that nobody knows has the one that it is compared with.
    fn asked_column(&mut self, id: ColumnId, kind: DataType) -> DataType {
        let is_known = !matches!(kind, DataType::Null | DataType::Unsupported);
        if let Some(field) = self.unmapped.get(&id).filter(|_| is_known).cloned() {
            self.asked.entry(field).or_insert(kind.without_text());
        }
        self.columns[id.0].kind
    }

    fn unknown_lookup(&mut self, name: &str, span: Span, message: String) {
        let names = self.schema.lookup_names();
        let near = nearest_names(name, names.iter().map(String::as_str)).join(", ");
        let help = match (near.is_empty(), names.is_empty()) {
            (false, _) => format!("did you mean [{near}]?"),
            (true, false) => "`maxspan lookup list` shows the tables that are there".to_owned(),
            (true, true) => "`maxspan lookup load` makes tables, `--lookups` names their folder".to_owned(),
        };
        self.report_with_help(codes::ESQL_UNKNOWN_INDEX, span, message, help);
    }

    fn unknown_field(&mut self, name: &str, columns: &[Column], span: Span, message: String) {
        let near = nearest_names(name, columns.iter().map(|column| column.name.as_str())).join(", ");
        if near.is_empty() {
            self.report(codes::ESQL_UNKNOWN_COLUMN, span, message);
        } else {
            self.report_with_help(
                codes::ESQL_UNKNOWN_COLUMN,
                span,
                message,
                format!("did you mean [{near}]?"),
            );
        }
    }
}

/// Whether values of the two types can be equal without being converted.
fn comparable(a: DataType, b: DataType) -> bool {
    let nothing = |kind| matches!(kind, DataType::Null | DataType::Unsupported);
    nothing(a)
        || nothing(b)
        || a.without_text() == b.without_text()
        || (a.is_number() && b.is_number())
        || (a.is_date() && b.is_date())
}
