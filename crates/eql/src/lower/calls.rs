//! Function calls: types of arguments, and the calls that are tests of a bare field.

use maxspan_diagnostics::{Diagnostic, Span, codes, nearest_names};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Cidr, Field};
use maxspan_plan::functions::{self, FUNCTIONS, Function, Kind};
use maxspan_plan::{Datum, Expr as Script, Predicate, TestKind};

use super::Lowering;
use super::condition::{is_constant, with_negation};
use super::types::Type;
use crate::ast::{Expr, ExprKind, MatchOp};

/// How messages count arguments.
const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];

/// Functions of the older dialect that are another way to write an operator.
pub(super) fn older_function(name: &str, ignore_case: bool) -> Option<MatchOp> {
    match (name.to_ascii_lowercase().as_str(), ignore_case) {
        ("wildcard", false) => Some(MatchOp::Like),
        ("wildcard", true) => Some(MatchOp::LikeIgnoreCase),
        ("match", false) => Some(MatchOp::Regex),
        ("match", true) => Some(MatchOp::RegexIgnoreCase),
        _ => None,
    }
}

impl Lowering<'_> {
    /// A call used as a condition.
    pub(super) fn call_condition(&mut self, expr: &Expr, negated: bool) -> Predicate {
        let ExprKind::Call { name, ignore_case, arguments, .. } = &expr.kind else {
            return Predicate::Constant(false);
        };
        if let Some(op) = older_function(name, *ignore_case).filter(|_| !self.strict() && arguments.len() > 1)
        {
            return self.older_call(expr, op, arguments, negated);
        }
        let (script, kind) = self.call(expr);
        if !matches!(kind, Type::Boolean | Type::Unknown) {
            self.not_boolean(expr.span, kind);
            return Predicate::Constant(false);
        }
        if let Some(test) = self.call_test(name, *ignore_case, arguments, expr.span) {
            return with_negation(test, negated);
        }
        Self::script(if negated { Script::Not(Box::new(script)) } else { script })
    }

    /// `wildcard(field, "a*", "b*")` as `field like ("a*", "b*")`.
    fn older_call(&mut self, expr: &Expr, op: MatchOp, arguments: &[Expr], negated: bool) -> Predicate {
        self.report(
            codes::EQL_EXTENSION,
            expr.span,
            "a function of the older dialect; Elasticsearch has `like` and `regex`",
        );
        let (value, patterns) = (Box::new(arguments[0].clone()), arguments[1..].to_vec());
        self.condition(&Expr { kind: ExprKind::Match { op, value, patterns }, span: expr.span }, negated)
    }

    /// The test of a bare field that a call with constants stands for.
    fn call_test(
        &mut self,
        name: &str,
        ignore_case: bool,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Predicate> {
        let (first, rest) = arguments.split_first()?;
        let ExprKind::Field(field_name) = &first.kind else { return None };
        if !rest.iter().all(is_constant) {
            return None;
        }
        let field = self.schema.field(&field_name.name);
        let texts: Vec<String> = rest
            .iter()
            .filter_map(|argument| self.expression(argument).0.constant()?.as_text().map(str::to_owned))
            .collect();
        match (functions::find(name)?.name, texts.as_slice()) {
            ("cidrMatch", blocks) => Some(self.cidr_test(&field, blocks, span)),
            ("startsWith", [text]) => Some(self.parts_test(&field, [text, ""], ignore_case)),
            ("endsWith", [text]) => Some(self.parts_test(&field, ["", text], ignore_case)),
            ("stringContains", [text]) => Some(self.parts_test(&field, ["", text, ""], ignore_case)),
            _ => None,
        }
    }

    fn cidr_test(&mut self, field: &Field, blocks: &[String], span: Span) -> Predicate {
        if let Some(text) = blocks.iter().find(|text| Cidr::parse(text).is_none()) {
            self.report(
                codes::EQL_CONSTANT,
                span,
                format!("[{text}] is no block of addresses in CIDR notation"),
            );
        }
        let blocks = blocks.iter().filter_map(|text| Cidr::parse(text)).collect();
        Predicate::test(self.fields.slot(field), TestKind::Cidr(blocks))
    }

    fn parts_test<const N: usize>(
        &mut self,
        field: &Field,
        parts: [&str; N],
        ignore_case: bool,
    ) -> Predicate {
        let pattern = Wildcard::from_parts(parts, ignore_case || field.lowercase);
        Predicate::test(self.fields.slot(field), TestKind::Wildcard(vec![pattern]))
    }

    /// A call as a script, its arguments checked.
    pub(super) fn call(&mut self, expr: &Expr) -> (Script, Type) {
        let ExprKind::Call { name, name_span, ignore_case, arguments } = &expr.kind else {
            return (Script::Constant(Datum::Null), Type::Unknown);
        };
        let lowered: Vec<(Script, Type)> =
            arguments.iter().map(|argument| self.expression(argument)).collect();
        let Some(function) = functions::find(name) else {
            self.unknown_function(name, *name_span);
            return (Script::Constant(Datum::Null), Type::Unknown);
        };
        let kinds: Vec<Type> = lowered.iter().map(|(_, kind)| *kind).collect();
        let fits = self.check_arguments(expr, function, arguments, &kinds);
        if !fits {
            return (Script::Constant(Datum::Null), Type::of_kind(function.returns));
        }
        if *ignore_case && !function.ignores_case {
            let message =
                format!("[{}~] does not exist: [{}] has no case to ignore", function.name, function.name);
            self.report(codes::EQL_UNKNOWN_FUNCTION, *name_span, message);
        }
        let scripts = lowered.into_iter().map(|(script, _)| script).collect();
        (Script::Call(function, scripts, *ignore_case), Type::of_kind(function.returns))
    }

    fn unknown_function(&mut self, name: &str, span: Span) {
        let code = codes::EQL_UNKNOWN_FUNCTION;
        let lower: Vec<String> = FUNCTIONS.iter().map(|function| function.name.to_lowercase()).collect();
        let near = nearest_names(&name.to_lowercase(), lower.iter().map(String::as_str)).join(", ");
        let mut diagnostic = Diagnostic::new(code, span, format!("Unknown function [{name}]"));
        if !near.is_empty() {
            diagnostic = diagnostic.with_help(format!("did you mean [{near}]?"));
        }
        self.diagnostics.push(code, || diagnostic);
    }

    fn check_arguments(
        &mut self,
        expr: &Expr,
        function: &Function,
        arguments: &[Expr],
        kinds: &[Type],
    ) -> bool {
        for (index, (argument, kind)) in arguments.iter().zip(kinds).enumerate() {
            let Some(parameter) = function.parameter(index) else { continue };
            let ordinal =
                if arguments.len() == 1 { "" } else { ORDINALS.get(index).copied().unwrap_or("further") };
            if parameter.constant && !is_constant(argument) {
                let message = format!(
                    "{ordinal} argument of [{}] must be a constant, received [{}]",
                    self.quote(expr.span),
                    self.quote(argument.span)
                );
                self.report(codes::EQL_CONSTANT, expr.span, message);
                return false;
            }
            if *kind == Type::InexactText
                && matches!(parameter.kind, Kind::String | Kind::Any)
                && let ExprKind::Field(name) = &argument.kind
            {
                let field = self.schema.field(&name.name);
                let what = if function.parameters.len() == 1 {
                    "field".to_owned()
                } else {
                    format!("{ordinal} argument field")
                };
                return self.check_exact(&field, expr.span, &what);
            }
            if !kind.fits(parameter.kind) {
                self.argument_type(expr, argument, ordinal, parameter.kind, *kind);
                // Without a mapping the event's own JSON decides, so the call may still have a value.
                return !self.strict();
            }
        }
        true
    }

    fn argument_type(&mut self, expr: &Expr, argument: &Expr, ordinal: &str, wanted: Kind, found: Type) {
        let message = format!(
            "{ordinal} argument of [{}] must be [{}], found value [{}] type [{}]",
            self.quote(expr.span),
            wanted.name(),
            self.quote(argument.span),
            found.mapping_name()
        );
        self.report_type(codes::EQL_TYPE, expr.span, message.trim_start().to_owned());
    }
}
