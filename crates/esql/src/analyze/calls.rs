//! Calls of functions: which one, with how many arguments of which types.

use maxspan_diagnostics::{Span, codes, nearest_names};

use super::Analysis;
use super::expression::{common, widened};
use crate::ast::{self, Word};
use crate::functions::{self, Function, Parameter, Returns};
use crate::query::{Expr, ExprKind};
use crate::types::DataType;
use crate::value::Value;
use crate::{aggregates, language};

/// Whether the value is only known when the query runs.
pub(super) fn depends_on_run(expr: &Expr) -> bool {
    contains(expr, &|part| matches!(part.kind, ExprKind::Kql(_)) || is_clock(part))
}

/// Whether the value depends on the time of the run.
pub(crate) fn reads_clock(expr: &Expr) -> bool {
    contains(expr, &is_clock)
}

fn is_clock(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(function, _) if matches!(function.name, "NOW" | "TRANGE"))
}

/// Whether the expression, or some part of it, is such a one.
fn contains(expr: &Expr, is_such: &dyn Fn(&Expr) -> bool) -> bool {
    let any = |list: &[Expr]| list.iter().any(|part| contains(part, is_such));
    let one = |part: &Expr| contains(part, is_such);
    is_such(expr)
        || match &expr.kind {
            ExprKind::Call(_, list)
            | ExprKind::Coalesce(list)
            | ExprKind::And(list)
            | ExprKind::Or(list)
            | ExprKind::List(list) => any(list),
            ExprKind::Case(branches, otherwise) => {
                branches.iter().any(|(condition, value)| one(condition) || one(value)) || one(otherwise)
            }
            ExprKind::Not(inner)
            | ExprKind::IsNull(inner)
            | ExprKind::Like(inner, _)
            | ExprKind::Negate(inner)
            | ExprKind::Widen(inner)
            | ExprKind::Match(inner, _) => one(inner),
            ExprKind::In(value, list) => one(value) || any(list),
            ExprKind::Compare(_, left, right) | ExprKind::Arithmetic(_, left, right) => {
                one(left) || one(right)
            }
            ExprKind::Kql(_) | ExprKind::Constant(_) | ExprKind::Column(_) => false,
        }
}

impl Analysis<'_> {
    pub(super) fn call(
        &mut self,
        name: &Word,
        arguments: &[ast::Expr],
        options: &[(Word, ast::Expr)],
        span: Span,
    ) -> Expr {
        let upper = name.text.to_ascii_uppercase();
        if let Some(function) = aggregates::find(&upper) {
            return self.aggregate(function, arguments, span);
        }
        if let Some(special) = language::find(&upper) {
            if !self.check_count(&upper, special.arguments, arguments.len(), name.span) {
                return Self::nothing(span);
            }
            let arguments: Vec<Expr> = arguments.iter().map(|argument| self.expr(argument)).collect();
            return self.special(special.name, arguments, options, span);
        }
        let Some(function) = functions::find(&upper) else {
            return self.unknown_function(name, arguments, span);
        };
        let arguments = arguments.iter().map(|argument| self.expr(argument)).collect();
        self.checked_call(function, arguments, options, span)
    }

    fn unknown_function(&mut self, name: &Word, arguments: &[ast::Expr], span: Span) -> Expr {
        // The arguments may have mistakes of their own.
        for argument in arguments.iter().filter(|argument| argument.kind != ast::ExprKind::Star) {
            self.expr(argument);
        }
        let known = functions::all().map(|function| function.name);
        let known = known.chain(aggregates::AGGREGATES.iter().map(|function| function.name));
        let known = known.chain(language::SPECIAL.iter().map(|special| special.name));
        let near = nearest_names(&name.text.to_ascii_uppercase(), known).join(", ");
        let message = format!("there is no function [{}]", name.text);
        if near.is_empty() {
            self.report(codes::ESQL_UNKNOWN_FUNCTION, name.span, message);
        } else {
            self.report_with_help(
                codes::ESQL_UNKNOWN_FUNCTION,
                name.span,
                message,
                format!("did you mean [{near}]?"),
            );
        }
        Self::nothing(span)
    }

    /// Whether the number of arguments is right; else it is reported.
    pub(super) fn check_count(
        &mut self,
        name: &str,
        (least, most): (usize, Option<usize>),
        count: usize,
        span: Span,
    ) -> bool {
        if count >= least && most.is_none_or(|most| count <= most) {
            return true;
        }
        let wanted = match most {
            Some(most) if most == least => least.to_string(),
            Some(most) => format!("{least} to {most}"),
            None => format!("at least {least}"),
        };
        self.report(
            codes::ESQL_ARGUMENTS,
            span,
            format!("[{name}] takes {wanted} arguments, but got {count}"),
        );
        false
    }

    /// Functions that are part of the language.
    fn special(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        options: &[(Word, ast::Expr)],
        span: Span,
    ) -> Expr {
        if let (Some((option, _)), true) = (options.first(), name != "MATCH" && name != "MATCH_PHRASE") {
            self.report(codes::ESQL_ARGUMENTS, option.span, format!("[{name}] has no options"));
        }
        match name {
            "CASE" => self.case(arguments, span),
            "COALESCE" => {
                let Some(kind) = self.common_type(&arguments, span) else { return Self::nothing(span) };
                let list = arguments.into_iter().map(|argument| widened(argument, kind)).collect();
                Expr { kind: ExprKind::Coalesce(list), data_type: kind, span }
            }
            "KQL" => self.kql(&arguments[0], span),
            _ => {
                let mut arguments = arguments.into_iter();
                let (Some(field), Some(query)) = (arguments.next(), arguments.next()) else {
                    return Self::nothing(span);
                };
                if name == "MATCH_PHRASE" {
                    return self.match_phrase(field, &query, span);
                }
                self.match_query(field, &query, options, span)
            }
        }
    }

    fn common_type(&mut self, arguments: &[Expr], span: Span) -> Option<DataType> {
        let kinds: Vec<DataType> = arguments.iter().map(|argument| argument.data_type).collect();
        let kind = common(&kinds).map(DataType::without_text);
        if kind.is_none() {
            let known = |one: &Expr| {
                !self.unmapped.keys().any(|id| matches!(one.kind, ExprKind::Column(found) if found == *id))
            };
            let others: Vec<DataType> =
                arguments.iter().filter(|one| known(one)).map(|one| one.data_type).collect();
            if let Some(wanted) = common(&others) {
                for argument in arguments {
                    self.ask(argument, wanted);
                }
            }
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            self.report(
                codes::ESQL_TYPE,
                span,
                format!("the arguments have no type in common: {}", names.join(", ")),
            );
        }
        kind
    }

    fn case(&mut self, arguments: Vec<Expr>, span: Span) -> Expr {
        let (mut branches, mut values) = (Vec::new(), Vec::new());
        let mut arguments = arguments.into_iter();
        let mut otherwise = Self::nothing(span);
        while let Some(first) = arguments.next() {
            let Some(value) = arguments.next() else {
                otherwise = first;
                break;
            };
            if !matches!(first.data_type, DataType::Boolean | DataType::Null | DataType::Unsupported) {
                self.ask(&first, DataType::Boolean);
                let message =
                    format!("a condition is true or false, but this is [{}]", first.data_type.name());
                self.report(codes::ESQL_TYPE, first.span, message);
            }
            branches.push(first);
            values.push(value);
        }
        values.push(otherwise);
        for value in &values {
            self.warn_of_null(value);
        }
        let Some(kind) = self.common_type(&values, span) else { return Self::nothing(span) };
        let mut values: Vec<Expr> = values.into_iter().map(|value| widened(value, kind)).collect();
        let otherwise = values.pop().unwrap_or_else(|| Self::nothing(span));
        let branches = branches.into_iter().zip(values).collect();
        Expr { kind: ExprKind::Case(branches, Box::new(otherwise)), data_type: kind, span }
    }

    /// A value that is computed and yet never there.
    fn warn_of_null(&mut self, value: &Expr) {
        let computed = value.data_type != DataType::Null && value.as_constant().is_some_and(Value::is_null);
        if computed {
            let (place, text) = (self.source.position(value.span.start), self.text(value.span).to_owned());
            self.warnings.push(format!("Line {place}: Expression [{text}] always evaluates to NULL."));
        }
    }

    /// A call of a function of the table.
    pub(super) fn checked_call(
        &mut self,
        function: &'static Function,
        arguments: Vec<Expr>,
        options: &[(Word, ast::Expr)],
        span: Span,
    ) -> Expr {
        if !self.check_count(function.name, function.arity(), arguments.len(), span) {
            return Self::nothing(span);
        }
        let mut checked = Vec::new();
        for (index, argument) in arguments.into_iter().enumerate() {
            if let Some(parameter) = function.parameter(index) {
                checked.push(self.argument(function.name, parameter, argument));
            }
        }
        let mut data_type = result_type(function, &checked);
        if function.returns == Returns::Common {
            let Some(kind) = self.common_type(&checked, span) else { return Self::nothing(span) };
            checked = checked.into_iter().map(|argument| widened(argument, kind)).collect();
            data_type = kind;
        }
        for option in function.options {
            checked.push(self.option(function, option, options, span));
        }
        for (name, _) in options.iter().filter(|(name, _)| !function.options.contains(&name.text.as_str())) {
            self.report(
                codes::ESQL_ARGUMENTS,
                name.span,
                format!("[{}] has no option [{}]", function.name, name.text),
            );
        }
        Expr { kind: ExprKind::Call(function, checked), data_type, span }
    }

    /// An option in braces; null where it is not given.
    fn option(&mut self, function: &Function, name: &str, options: &[(Word, ast::Expr)], span: Span) -> Expr {
        let Some((_, value)) = options.iter().find(|(word, _)| word.text == name) else {
            return Self::nothing(span);
        };
        let value = self.expr(value);
        if value.as_constant().is_none() {
            let message = format!("the option [{name}] of [{}] is a constant", function.name);
            self.report(codes::ESQL_CONSTANT, value.span, message);
        }
        value
    }

    /// An argument of the right type; a constant text becomes what is wanted.
    pub(super) fn argument(&mut self, name: &str, parameter: &Parameter, argument: Expr) -> Expr {
        if parameter.types.has(argument.data_type) {
            return argument;
        }
        if argument.data_type == DataType::Keyword && argument.as_constant().is_some() {
            const ADAPTED: [DataType; 9] = [
                DataType::Datetime,
                DataType::Ip,
                DataType::Version,
                DataType::Integer,
                DataType::Long,
                DataType::Double,
                DataType::Boolean,
                DataType::DatePeriod,
                DataType::TimeDuration,
            ];
            for kind in ADAPTED.into_iter().filter(|kind| parameter.types.has(*kind)) {
                if self.converts(&argument, kind) {
                    return self.adapted(argument, kind);
                }
            }
        }
        if let Some(kind) = parameter.types.list().last() {
            self.ask(&argument, *kind);
        }
        let message = format!(
            "[{name}] takes [{}] as [{}], but this is [{}]",
            parameter.types.describe(),
            parameter.name,
            argument.data_type.name()
        );
        self.report(codes::ESQL_TYPE, argument.span, message);
        Self::nothing(argument.span)
    }

    fn converts(&self, argument: &Expr, to: DataType) -> bool {
        let values = argument.as_constant().map_or(&[][..], Value::values);
        values
            .iter()
            .all(|value| functions::convert::convert(&self.evaluator.context, value.borrowed(), to).is_ok())
    }
}

fn result_type(function: &Function, arguments: &[Expr]) -> DataType {
    let first = arguments.first().map_or(DataType::Null, |argument| argument.data_type);
    match function.returns {
        Returns::Is(kind) => kind,
        Returns::First | Returns::Common => first.without_text(),
        Returns::FirstDate => {
            let date = arguments.iter().map(|argument| argument.data_type).find(|kind| kind.is_date());
            let number = arguments.iter().any(|argument| argument.data_type.is_number());
            date.unwrap_or(if number { DataType::Double } else { DataType::Datetime })
        }
    }
}
