//! Conditions: what is used as true or false.

use maxspan_diagnostics::{Diagnostic, Span, codes};
use maxspan_event::wildcard::Wildcard;
use maxspan_event::{Field, FieldType};
use maxspan_plan::{
    CompareOp, Datum, Expr as Script, Leaves, LuceneRegex, Predicate, RangeOp, TestKind, ValueSet,
};

use super::Lowering;
use super::types::Type;
use crate::ast::{self, Expr, ExprKind, MatchOp};

impl Lowering<'_> {
    /// The predicate for an expression, or for its negation.
    pub(super) fn condition(&mut self, expr: &Expr, negated: bool) -> Predicate {
        match &expr.kind {
            ExprKind::Boolean(value) => Predicate::Constant(*value != negated),
            // Null is neither true nor, negated, true.
            ExprKind::Null => Predicate::Constant(false),
            ExprKind::Not(inner) => self.condition(inner, !negated),
            ExprKind::And(all) if negated => {
                Predicate::or(all.iter().map(|one| self.condition(one, true)).collect::<Vec<_>>())
            }
            ExprKind::And(all) => {
                Predicate::and(all.iter().map(|one| self.condition(one, false)).collect::<Vec<_>>())
            }
            ExprKind::Or(any) if negated => {
                Predicate::and(any.iter().map(|one| self.condition(one, true)).collect::<Vec<_>>())
            }
            ExprKind::Or(any) => {
                Predicate::or(any.iter().map(|one| self.condition(one, false)).collect::<Vec<_>>())
            }
            ExprKind::Compare { op, left, right } => {
                self.comparison(expr, compare_op(*op), left, right, negated)
            }
            ExprKind::In { value, list, negated: not_in, ignore_case } => {
                self.membership(expr, value, list, *ignore_case, *not_in != negated)
            }
            ExprKind::Match { op, value, patterns } => self.string_match(expr, *op, value, patterns, negated),
            ExprKind::Call { .. } => self.call_condition(expr, negated),
            ExprKind::Field(name) => {
                let field = self.field(name, expr.span);
                self.boolean_field(&field, expr.span, negated)
            }
            ExprKind::Lineage { relation, query } => {
                with_negation(self.lineage(*relation, query, expr.span), negated)
            }
            ExprKind::Integer(_)
            | ExprKind::Decimal(_)
            | ExprKind::String(_)
            | ExprKind::Negate(_)
            | ExprKind::Arithmetic { .. } => {
                let (_, kind) = self.expression(expr);
                self.not_boolean(expr.span, kind);
                Predicate::Constant(false)
            }
        }
    }

    pub(super) fn not_boolean(&mut self, span: Span, kind: Type) {
        let message = format!("Condition expression needs to be boolean, found [{}]", kind.name());
        self.report(codes::EQL_NOT_BOOLEAN, span, message);
    }

    fn boolean_field(&mut self, field: &Field, span: Span, negated: bool) -> Predicate {
        let kind = Type::of_field(field);
        if !matches!(kind, Type::Boolean | Type::Unknown) {
            self.not_boolean(span, kind);
        }
        let is_true = ValueSet::new(ValueSet::untyped(&Datum::Boolean(true)), false);
        with_negation(Predicate::test(self.fields.slot(field), TestKind::OneOf(is_true)), negated)
    }

    fn comparison(
        &mut self,
        whole: &Expr,
        op: CompareOp,
        left: &Expr,
        right: &Expr,
        negated: bool,
    ) -> Predicate {
        let op = if negated { op.negated() } else { op };
        if let Some(found) = self.null_test(op, left, right) {
            return found;
        }
        if let Some(found) = self.truth_test(op, left, right) {
            return found;
        }
        let (field_side, other, op) = if matches!(left.kind, ExprKind::Field(_)) {
            (left, right, op)
        } else {
            (right, left, op.mirrored())
        };
        let ExprKind::Field(name) = &field_side.kind else {
            return self.script_comparison(op.mirrored(), left, right);
        };
        if !is_constant(other) {
            if let Some(found) = self.absent_field_comparison(op, field_side, other) {
                return found;
            }
            self.check_field_comparison(left, right, op);
            return self.script_comparison(
                if std::ptr::eq(field_side, left) { op } else { op.mirrored() },
                left,
                right,
            );
        }
        let field = self.field(name, field_side.span);
        let (constant, kind) = self.expression(other);
        let Some(constant) = constant.constant() else { return Predicate::Constant(false) };
        if !self.check_exact(&field, whole.span, "first argument field") {
            return Predicate::Constant(false);
        }
        if !matches!((field.kind, constant.as_text()), (FieldType::Boolean, Some("true" | "false"))) {
            self.check_comparable(whole, &field, kind);
        }
        self.field_test(&field, op, &constant)
    }

    /// A bare field against a constant: a test of the field.
    fn field_test(&mut self, field: &Field, op: CompareOp, constant: &Datum<'static>) -> Predicate {
        if constant.is_null() {
            return Predicate::Constant(false);
        }
        let range = match op {
            CompareOp::Equal => return self.equals_any(field, std::slice::from_ref(constant), false),
            CompareOp::NotEqual => {
                return self.equals_any(field, std::slice::from_ref(constant), false).negate();
            }
            CompareOp::Less => RangeOp::Less,
            CompareOp::LessOrEqual => RangeOp::LessOrEqual,
            CompareOp::Greater => RangeOp::Greater,
            CompareOp::GreaterOrEqual => RangeOp::GreaterOrEqual,
        };
        let slot = self.fields.slot(field);
        self.ordered(slot, field, range, constant)
    }

    /// `x == null`, `null != x`: whether x is missing.
    fn null_test(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Option<Predicate> {
        let tested = match (&left.kind, &right.kind) {
            (ExprKind::Null, _) => right,
            (_, ExprKind::Null) => left,
            _ => return None,
        };
        let absent = match op {
            CompareOp::Equal => true,
            CompareOp::NotEqual => false,
            _ => return Some(Predicate::Constant(false)),
        };
        if let ExprKind::Field(name) = &tested.kind {
            if self.schema.is_object(&name.name) {
                self.fields.want_leaves();
                return Some(with_negation(Predicate::Leaves(Box::new(Leaves::below(&name.name))), absent));
            }
            let field = self.field(name, tested.span);
            return Some(with_negation(Predicate::test(self.fields.slot(&field), TestKind::Exists), absent));
        }
        let (script, _) = self.expression(tested);
        let is_null = Script::IsNull(Box::new(script));
        Some(match is_null.constant() {
            Some(Datum::Boolean(value)) => Predicate::Constant(value == absent),
            _ if absent => Predicate::Script(is_null),
            _ => Predicate::Script(Script::Not(Box::new(is_null))),
        })
    }

    /// `condition == true`: the condition itself; `condition == false`: its negation.
    fn truth_test(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Option<Predicate> {
        let (tested, wanted) = match (&left.kind, &right.kind) {
            (ExprKind::Boolean(value), _) if is_condition(right) => (right, *value),
            (_, ExprKind::Boolean(value)) if is_condition(left) => (left, *value),
            _ => return None,
        };
        match op {
            CompareOp::Equal => Some(self.condition(tested, !wanted)),
            CompareOp::NotEqual => Some(self.condition(tested, wanted)),
            _ => None,
        }
    }

    /// Elasticsearch reads an optional field that no mapping knows as the literal null, which makes an equality with it a
    /// test for null. Here events may carry the field all the same; then the values are compared.
    fn absent_field_comparison(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Option<Predicate> {
        let absent = |side: &Expr| match &side.kind {
            ExprKind::Field(name) => name.optional && self.schema.get(&name.name).is_none(),
            _ => false,
        };
        if !absent(left) && !absent(right) {
            return None;
        }
        let (first, second) = if absent(left) { (left, right) } else { (right, left) };
        let (first, second) = (self.expression(first).0, self.expression(second).0);
        let is_null = |script: &Script| Script::IsNull(Box::new(script.clone()));
        let as_null = match op {
            CompareOp::Equal => is_null(&second),
            CompareOp::NotEqual => Script::Not(Box::new(is_null(&second))),
            _ => return None,
        };
        let both_null = Script::And(vec![is_null(&first), as_null]);
        let compared = Script::Compare(op, Box::new(first), Box::new(second));
        Some(Predicate::or([Predicate::Script(both_null), Predicate::Script(compared)]))
    }

    fn script_comparison(&mut self, op: CompareOp, left: &Expr, right: &Expr) -> Predicate {
        let ((left, _), (right, _)) = (self.expression(left), self.expression(right));
        Self::script(Script::Compare(op, Box::new(left), Box::new(right)))
    }

    /// A script, or its value when it depends on no event.
    pub(super) fn script(script: Script) -> Predicate {
        match script.constant() {
            Some(value) => Predicate::Constant(value.as_boolean() == Some(true)),
            None => Predicate::Script(script),
        }
    }

    /// Elasticsearch compares two fields only where one of them is unknown and optional.
    fn check_field_comparison(&mut self, left: &Expr, right: &Expr, op: CompareOp) {
        let (ExprKind::Field(_), ExprKind::Field(name)) = (&left.kind, &right.kind) else { return };
        if name.optional && self.schema.get(&name.name).is_none() {
            return;
        }
        let message = format!(
            "Comparisons against fields are not (currently) supported; offender [{}] in [{}]",
            self.quote(right.span),
            op.symbol()
        );
        let code = if self.strict() { codes::EQL_FIELD_COMPARISON } else { codes::EQL_EXTENSION };
        self.report(code, right.span, message);
    }

    /// A warning where a constant can never equal a value of the field.
    fn check_comparable(&mut self, whole: &Expr, field: &Field, constant: Type) {
        let kind = Type::of_field(field);
        let suspicious =
            kind.is_number() && constant.is_string() || kind == Type::Boolean && constant != Type::Boolean;
        if suspicious {
            let message = format!(
                "[{}] compares a field of type [{}] with a constant of type [{}] and is never true",
                self.quote(whole.span),
                kind.mapping_name(),
                constant.mapping_name()
            );
            self.report(codes::EQL_TYPE_LENIENT, whole.span, message);
        }
    }

    /// Whether the field can be compared exactly; says so when not.
    pub(super) fn check_exact(&mut self, field: &Field, span: Span, what: &str) -> bool {
        let what = if what.is_empty() { "field".to_owned() } else { what.to_owned() };
        let reason = if field.kind == FieldType::Text && !field.exact {
            let last = field.name.rsplit('.').next().unwrap_or(&field.name);
            format!(
                "[text]: No keyword/multi-field defined exact matches for [{last}]; define one or use MATCH/QUERY instead"
            )
        } else if field.lowercase && field.mapping_type.is_some() {
            "[keyword]: Normalized keyword field cannot be used for exact match operations".to_owned()
        } else {
            return true;
        };
        let message = format!("[{}] cannot operate on {what} of data type {reason}", self.quote(span));
        let code = codes::EQL_NOT_EXACT;
        let help = "query a keyword field instead";
        self.diagnostics.push(code, || Diagnostic::new(code, span, message).with_help(help));
        false
    }

    fn membership(
        &mut self,
        whole: &Expr,
        value: &Expr,
        list: &[Expr],
        ignore_case: bool,
        negated: bool,
    ) -> Predicate {
        let field =
            if let ExprKind::Field(name) = &value.kind { Some(self.field(name, value.span)) } else { None };
        let Some(field) = field.filter(|_| list.iter().all(is_constant)) else {
            return self.script_membership(whole, value, list, ignore_case, negated);
        };
        if !self.check_exact(&field, whole.span, "first argument field") {
            return Predicate::Constant(false);
        }
        let constants: Vec<(Datum<'static>, Type)> = list
            .iter()
            .map(|item| {
                let (item, kind) = self.expression(item);
                (item.constant().unwrap_or(Datum::Null), kind)
            })
            .collect();
        self.check_members(whole, &field, list, &constants);
        let constants: Vec<Datum<'static>> = constants.into_iter().map(|(constant, _)| constant).collect();
        with_negation(self.equals_any(&field, &constants, ignore_case), negated)
    }

    fn check_members(
        &mut self,
        whole: &Expr,
        field: &Field,
        list: &[Expr],
        constants: &[(Datum<'static>, Type)],
    ) {
        let kind = Type::of_field(field);
        for (index, ((_, constant), item)) in constants.iter().zip(list).enumerate() {
            let fits = matches!(kind, Type::Unknown | Type::Date | Type::Ip | Type::Version)
                || matches!(constant, Type::Null | Type::Unknown)
                || kind.family() == constant.family();
            if !fits {
                let message = format!(
                    "{} argument of [{}] must be [{}], found value [{}] type [{}]",
                    nth(index + 1),
                    self.quote(whole.span),
                    kind.mapping_name(),
                    self.quote(item.span),
                    constant.mapping_name()
                );
                self.report_type(codes::EQL_TYPE, whole.span, message);
                return;
            }
        }
    }

    fn script_membership(
        &mut self,
        whole: &Expr,
        value: &Expr,
        list: &[Expr],
        ignore_case: bool,
        negated: bool,
    ) -> Predicate {
        if let Some(item) = list.iter().find(|item| matches!(item.kind, ExprKind::Field(_))) {
            let message = format!(
                "Comparisons against fields are not (currently) supported; offender [{}] in [{}]",
                self.quote(item.span),
                self.quote(whole.span)
            );
            let code = if self.strict() { codes::EQL_FIELD_COMPARISON } else { codes::EQL_EXTENSION };
            self.report(code, whole.span, message);
        }
        let (value, _) = self.expression(value);
        let list = list.iter().map(|item| self.expression(item).0).collect();
        let script = Script::In(Box::new(value), list, ignore_case);
        Self::script(if negated { Script::Not(Box::new(script)) } else { script })
    }

    fn string_match(
        &mut self,
        whole: &Expr,
        op: MatchOp,
        value: &Expr,
        patterns: &[Expr],
        negated: bool,
    ) -> Predicate {
        let texts = self.pattern_texts(whole, op, patterns);
        if let ExprKind::Field(name) = &value.kind {
            let field = self.field(name, value.span);
            if !self.check_string(whole, op, value, Type::of_field(&field))
                || !self.check_exact(&field, whole.span, "first argument field")
            {
                return Predicate::Constant(false);
            }
            let found = self.field_match(&field, op, &texts, patterns);
            return with_negation(found, negated);
        }
        let (script, kind) = self.expression(value);
        if !self.check_string(whole, op, value, kind) {
            return Predicate::Constant(false);
        }
        let ignore_case = ignores_case(op);
        let script = match op {
            MatchOp::Regex | MatchOp::RegexIgnoreCase => {
                Script::Regex(Box::new(script), self.regexes(&texts, ignore_case, patterns))
            }
            _ => Script::Wildcard(
                Box::new(script),
                texts.iter().map(|text| Wildcard::new(text, ignore_case)).collect(),
            ),
        };
        Self::script(if negated { Script::Not(Box::new(script)) } else { script })
    }

    /// Patterns without wildcards are constants; these are looked up in a set.
    pub(super) fn field_match(
        &mut self,
        field: &Field,
        op: MatchOp,
        texts: &[String],
        patterns: &[Expr],
    ) -> Predicate {
        // The values of a `.caseless` field are lower-cased, and so is what they are compared with.
        let ignore_case = ignores_case(op) || field.lowercase;
        let slot = self.fields.slot(field);
        if matches!(op, MatchOp::Regex | MatchOp::RegexIgnoreCase) {
            return Predicate::test(slot, TestKind::Regex(self.regexes(texts, ignore_case, patterns)));
        }
        let wildcards = |text: &&String| text.contains(['*', '?']);
        let literals: Vec<Datum<'static>> =
            texts.iter().filter(|text| !wildcards(text)).map(|text| Datum::text(text.as_str())).collect();
        let compiled: Vec<Wildcard> =
            texts.iter().filter(wildcards).map(|text| Wildcard::new(text, ignore_case)).collect();
        let mut tests = vec![self.equals_any(field, &literals, ignore_case)];
        if !compiled.is_empty() {
            tests.push(Predicate::test(slot, TestKind::Wildcard(compiled)));
        }
        Predicate::or(tests)
    }

    fn pattern_texts(&mut self, whole: &Expr, op: MatchOp, patterns: &[Expr]) -> Vec<String> {
        let mut texts = Vec::new();
        for pattern in patterns {
            if let ExprKind::String(text) = &pattern.kind {
                texts.push(text.clone());
            } else {
                let (_, kind) = self.expression(pattern);
                // `pid : 123` is about the field rather than the pattern, and is said there.
                let symbol = op_symbol(op);
                let message = format!(
                    "second argument of [{symbol}] must be [string], found value [{}] type [{}]",
                    self.quote(pattern.span),
                    kind.mapping_name()
                );
                self.report(codes::EQL_TYPE, whole.span, message);
            }
        }
        texts
    }

    fn check_string(&mut self, whole: &Expr, op: MatchOp, value: &Expr, kind: Type) -> bool {
        if kind.is_string() || matches!(kind, Type::Unknown | Type::Null) {
            return true;
        }
        let found = format!("found value [{}] type [{}]", self.quote(value.span), kind.mapping_name());
        let message = if op == MatchOp::Colon {
            format!("first argument of [:] must be [string], {found}; consider using [==] instead")
        } else {
            format!("argument of [{}] must be [string], {found}", self.quote(whole.span))
        };
        self.report(codes::EQL_TYPE, whole.span, message);
        false
    }

    pub(super) fn regexes(
        &mut self,
        texts: &[String],
        ignore_case: bool,
        patterns: &[Expr],
    ) -> Vec<LuceneRegex> {
        let mut compiled = Vec::new();
        for (text, pattern) in texts.iter().zip(patterns) {
            match LuceneRegex::within(&mut self.regexes, text, ignore_case) {
                Ok(regex) => compiled.push(regex),
                Err(error) => {
                    let message =
                        format!("regular expression: {} (character {})", error.message, error.offset + 1);
                    self.report(codes::EQL_REGEX, pattern.span, message);
                }
            }
        }
        compiled
    }
}

/// The predicate or its negation; for tests, whose negation is plain.
pub(super) fn with_negation(predicate: Predicate, negated: bool) -> Predicate {
    if negated { predicate.negate() } else { predicate }
}

pub(super) fn is_constant(expr: &Expr) -> bool {
    !matches!(expr.kind, ExprKind::Field(_) | ExprKind::Lineage { .. })
        && expr.children().into_iter().all(is_constant)
}

/// Whether the expression is a condition by its form, and not a field or a constant.
fn is_condition(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::In { .. }
        | ExprKind::Match { .. }
        | ExprKind::Lineage { .. } => true,
        ExprKind::Compare { .. } => true,
        ExprKind::Call { name, ignore_case, .. }
            if super::calls::older_function(name, *ignore_case).is_some() =>
        {
            true
        }
        ExprKind::Call { name, .. } => maxspan_plan::functions::find(name)
            .is_some_and(|function| function.returns == maxspan_plan::functions::Kind::Boolean),
        _ => false,
    }
}

pub(super) fn compare_op(op: ast::CompareOp) -> CompareOp {
    match op {
        ast::CompareOp::Equal => CompareOp::Equal,
        ast::CompareOp::NotEqual => CompareOp::NotEqual,
        ast::CompareOp::Less => CompareOp::Less,
        ast::CompareOp::LessOrEqual => CompareOp::LessOrEqual,
        ast::CompareOp::Greater => CompareOp::Greater,
        ast::CompareOp::GreaterOrEqual => CompareOp::GreaterOrEqual,
    }
}

pub(super) fn ignores_case(op: MatchOp) -> bool {
    matches!(op, MatchOp::Colon | MatchOp::LikeIgnoreCase | MatchOp::RegexIgnoreCase)
}

fn op_symbol(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Colon => ":",
        MatchOp::Like => "like",
        MatchOp::LikeIgnoreCase => "like~",
        MatchOp::Regex => "regex",
        MatchOp::RegexIgnoreCase => "regex~",
    }
}

/// `1st`, `2nd`, … as Elasticsearch numbers members of a list.
fn nth(number: usize) -> String {
    let suffix = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}
