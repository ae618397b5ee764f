//! The commands but for STATS.

use maxspan_diagnostics::{Span, codes, nearest_names};

use super::{Analysis, Binding, Seen};
use crate::ast::{self, Assignment, Name, Setting};
use crate::dissect::Dissector;
use crate::grok::Grok;
use crate::query::{Column, Command, Expr, ExprKind, Scan, SortKey};
use crate::types::DataType;
use crate::value::Value;
use crate::zone::Zone;

/// Metadata that FROM can ask for.
const METADATA: [(&str, DataType); 8] = [
    ("_id", DataType::Keyword),
    ("_index", DataType::Keyword),
    ("_version", DataType::Long),
    ("_score", DataType::Double),
    ("_ignored", DataType::Keyword),
    ("_index_mode", DataType::Keyword),
    ("_source", DataType::Unsupported),
    ("_tier", DataType::Keyword),
];

/// Settings of a query.
const SETTINGS: [&str; 3] = ["time_zone", "unmapped_fields", "project_routing"];

impl Analysis<'_> {
    pub(super) fn setting(&mut self, setting: &Setting) {
        let value = self.expr(&setting.value);
        let text = value.as_constant().and_then(|value| value.borrowed().as_text()).map(str::to_owned);
        let span = setting.value.span;
        match (setting.name.text.to_ascii_lowercase().as_str(), text.as_deref()) {
            ("time_zone", Some(name)) => match Zone::parse(name) {
                Some(zone) => {
                    self.evaluator.context.zone = zone.clone();
                    self.zone = zone;
                }
                None => self.report(codes::ESQL_SETTING, span, format!("there is no time zone [{name}]")),
            },
            ("unmapped_fields", Some("nullify" | "load")) => self.nullify = true,
            ("unmapped_fields", Some("default" | "fail")) => self.nullify = false,
            ("project_routing", Some(_)) => {
                self.report(
                    codes::ESQL_SETTING,
                    setting.name.span,
                    "[project_routing] is not there: all data is local",
                );
            }
            (name, _) if SETTINGS.contains(&name) => {
                let message = format!("[{}] is no value for [{name}]", self.text(span));
                self.report(codes::ESQL_SETTING, span, message);
            }
            (name, _) => {
                let near = nearest_names(name, SETTINGS).join(", ");
                let message = format!("there is no setting [{name}]");
                let help = if near.is_empty() { SETTINGS.join(", ") } else { near };
                self.report_with_help(
                    codes::ESQL_SETTING,
                    setting.name.span,
                    message,
                    format!("settings: {help}"),
                );
            }
        }
    }

    pub(super) fn from(&mut self, from: &ast::From) {
        let patterns: Vec<&str> = from.patterns.iter().map(|word| word.text.as_str()).collect();
        let columns = self.schema.columns(&patterns).unwrap_or_else(|| {
            let span = from.patterns.first().map_or(Span::at(0), |word| word.span);
            self.report(
                codes::ESQL_UNKNOWN_INDEX,
                span,
                format!("there is no index [{}]", patterns.join(",")),
            );
            Vec::new()
        });
        for Column { name, kind } in columns {
            let binding = Binding::Field { field: name.clone(), kind, metadata: false };
            self.scope.push(Seen { name, binding });
        }
        for name in &from.metadata {
            self.metadata(name);
        }
        let patterns = from.patterns.iter().map(|word| word.text.clone()).collect();
        let scan = Scan { patterns, fields: Vec::new(), metadata: Vec::new() };
        self.scan = Some(scan.clone());
        self.open = true;
        self.commands.push(Command::Scan(scan));
    }

    fn metadata(&mut self, name: &Name) {
        let text = name.text();
        let Some((_, kind)) = METADATA.iter().find(|(known, _)| *known == text) else {
            let known: Vec<&str> = METADATA.iter().map(|(name, _)| *name).collect();
            let message = format!("there is no metadata [{text}]");
            self.report_with_help(codes::ESQL_UNKNOWN_COLUMN, name.span, message, known.join(", "));
            return;
        };
        self.scope.retain(|seen| seen.name != text);
        let binding = Binding::Field { field: text.clone(), kind: *kind, metadata: true };
        self.scope.push(Seen { name: text, binding });
    }

    /// The name of an assignment: the one given, or the text of the value.
    pub(super) fn assigned_name(&self, assignment: &Assignment) -> String {
        match (&assignment.name, &assignment.value.kind) {
            (Some(name), _) | (None, ast::ExprKind::Column(name)) => name.text(),
            _ => self.text(assignment.value.span).to_owned(),
        }
    }

    /// Values without a name do not replace each other.
    pub(super) fn row(&mut self, fields: &[Assignment]) {
        let mut assigned = Vec::new();
        for field in fields {
            let value = self.expr(&field.value);
            let name = self.assigned_name(field);
            let id = self.add_column(&name, value.data_type);
            self.constants[id.0] = self.constant_value(&value);
            if field.name.is_some() {
                self.define(&name, id);
            } else {
                self.scope.push(Seen { name, binding: Binding::Column(id) });
            }
            assigned.push((id, value));
        }
        self.commands.push(Command::Row(assigned));
    }

    /// A column alone gets a second name; nothing has to be computed for it.
    pub(super) fn eval(&mut self, fields: &[Assignment]) {
        let mut assigned = Vec::new();
        for field in fields {
            let value = self.expr(&field.value);
            let name = self.assigned_name(field);
            if let ExprKind::Column(id) = value.kind {
                self.define(&name, id);
            } else {
                let id = self.define_value(&name, &value);
                assigned.push((id, value));
            }
        }
        if !assigned.is_empty() {
            self.commands.push(Command::Eval(assigned));
        }
    }

    pub(super) fn sort(&mut self, keys: &[ast::SortKey]) {
        let mut sorted = Vec::new();
        for key in keys {
            let value = self.expr(&key.value);
            let nulls_first = key.nulls_first.unwrap_or(key.descending);
            sorted.push(SortKey { value, descending: key.descending, nulls_first });
        }
        self.commands.push(Command::Sort(sorted));
    }

    pub(super) fn limit(&mut self, rows: &ast::Expr) {
        let limit = self.expr(rows);
        let number = limit.as_constant().and_then(|value| value.borrowed().as_long());
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) => self.commands.push(Command::Limit(number)),
            None => self.report(
                codes::ESQL_CONSTANT,
                rows.span,
                "LIMIT takes a whole number that is not negative",
            ),
        }
    }

    /// The text that DISSECT and GROK look at.
    fn text_input(&mut self, input: &ast::Expr, command: &str) -> Expr {
        let value = self.expr(input);
        if !value.data_type.is_text() && !matches!(value.data_type, DataType::Null | DataType::Unsupported) {
            let message = format!("{command} takes text, but this is [{}]", value.data_type.name());
            self.report_with_help(codes::ESQL_TYPE, input.span, message, "convert it with `::string`");
        }
        value
    }

    pub(super) fn dissect(&mut self, dissect: &ast::Dissect) {
        let input = self.text_input(&dissect.input, "DISSECT");
        let separator = dissect.append_separator.as_ref().map_or("", |word| word.text.as_str());
        match Dissector::new(&dissect.pattern.text, separator) {
            Ok(dissector) => {
                let keys =
                    dissector.keys().iter().map(|key| (key.clone(), DataType::Keyword)).collect::<Vec<_>>();
                let outputs = self.extracted(&keys);
                self.commands.push(Command::Dissect { input, dissector, outputs });
            }
            Err(reason) => self.report(codes::ESQL_PATTERN, dissect.pattern.span, reason),
        }
    }

    pub(super) fn grok(&mut self, grok: &ast::Grok) {
        let input = self.text_input(&grok.input, "GROK");
        let texts: Vec<&str> = grok.patterns.iter().map(|word| word.text.as_str()).collect();
        match Grok::new(&texts) {
            Ok(found) => {
                let outputs = self.extracted(found.columns());
                self.commands.push(Command::Grok { input, grok: Box::new(found), outputs });
            }
            Err((place, reason)) => {
                let span = grok.patterns.get(place).map_or(Span::at(0), |word| word.span);
                self.report(codes::ESQL_PATTERN, span, reason);
            }
        }
    }

    fn extracted(&mut self, columns: &[(String, DataType)]) -> Vec<crate::query::ColumnId> {
        let mut outputs = Vec::new();
        for (name, kind) in columns {
            let id = self.add_column(name, *kind);
            self.define(name, id);
            outputs.push(id);
        }
        outputs
    }

    pub(super) fn mv_expand(&mut self, name: &Name) {
        let Some(from) = self.resolve(name) else { return };
        let to = self.add_column(&name.text(), self.columns[from.0].kind.without_text());
        if let Some(field) = self.unmapped.get(&from).cloned() {
            self.unmapped.insert(to, field);
        }
        // The column keeps its place.
        if let Some(seen) = self.scope.iter_mut().find(|seen| seen.name == name.text()) {
            seen.binding = Binding::Column(to);
        }
        self.commands.push(Command::MvExpand { from, to });
    }

    /// The constant text of an expression.
    pub(super) fn constant_text(&mut self, expr: &Expr) -> Option<String> {
        match self.constant_value(expr)? {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }
}
