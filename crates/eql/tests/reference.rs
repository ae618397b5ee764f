//! The reference of operators: every example is run, and every operator of the syntax tree has one.

use std::collections::BTreeSet;

use maxspan_eql::ast::{ArithmeticOp, CompareOp, Expr, ExprKind, MatchOp, QueryKind};
use maxspan_eql::reference::{Example, GROUPS, MAPPING, Truth};
use maxspan_eql::{LowerOptions, lower, parse};
use maxspan_event::{Decoder, Fields, Schema, Slots};
use maxspan_plan::{Environment, PlanKind};

fn examples() -> impl Iterator<Item = &'static Example> {
    GROUPS.iter().flat_map(|group| group.operators).flat_map(|operator| operator.examples)
}

fn holds(condition: &str, event: &str) -> bool {
    let query = format!("any where {condition}");
    let schema = Schema::built_in().with_mapping(MAPPING).unwrap();
    let (tree, problems) = parse(&query);
    let tree = tree.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut fields = Fields::default();
    let (plan, problems) = lower(&tree, &query, &schema, &mut fields, &LowerOptions::default());
    let plan = plan.unwrap_or_else(|| panic!("{query}: {problems:?}"));
    let mut slots = Slots::default();
    Decoder::new(fields, schema).decode(event.as_bytes(), &mut slots).unwrap();
    let PlanKind::Events(predicate) = plan.kind else { panic!("{query} is no event query") };
    predicate.holds(Environment::new(&slots))
}

#[test]
fn examples_are_true() {
    let mut wrong = Vec::new();
    for Example { condition, event, truth } in examples() {
        let found = Truth::of(holds(condition, event), holds(&format!("not ({condition})"), event));
        if found != *truth {
            wrong.push(format!("{condition} on {event} is {}", found.name()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_operator_is_described() {
    for operator in GROUPS.iter().flat_map(|group| group.operators) {
        let texts = [operator.name, operator.operands, operator.summary, operator.missing];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}", operator.symbol);
        assert!(!operator.examples.is_empty(), "{} has no example", operator.symbol);
    }
}

#[test]
fn every_operator_of_the_syntax_tree_has_an_example() {
    let mut found = BTreeSet::new();
    for example in examples() {
        let query = format!("any where {}", example.condition);
        let (tree, _) = parse(&query);
        let QueryKind::Event(query) = tree.unwrap().kind else { panic!("{query} is no event query") };
        collect(&query.condition, &mut found);
    }
    let wanted = [
        "!=", "%", "*", "+", "-", "-x", "/", ":", "<", "<=", "==", ">", ">=", "?field", "and", "f", "f~",
        "in", "in~", "like", "like~", "not", "not in", "not in~", "or", "regex", "regex~",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
}

/// The operators of an expression. Exhaustive, so that a new operator has to be listed here.
fn collect(expr: &Expr, found: &mut BTreeSet<&'static str>) {
    let (symbol, parts): (Option<&str>, Vec<&Expr>) = match &expr.kind {
        ExprKind::Null
        | ExprKind::Boolean(_)
        | ExprKind::Integer(_)
        | ExprKind::Decimal(_)
        | ExprKind::String(_) => (None, Vec::new()),
        ExprKind::Field(name) => (name.optional.then_some("?field"), Vec::new()),
        ExprKind::Not(inner) => (Some("not"), vec![inner]),
        ExprKind::And(all) => (Some("and"), all.iter().collect()),
        ExprKind::Or(any) => (Some("or"), any.iter().collect()),
        ExprKind::Negate(inner) => (Some("-x"), vec![inner]),
        ExprKind::Arithmetic { op, left, right } => (Some(arithmetic(*op)), vec![left, right]),
        ExprKind::Compare { op, left, right } => (Some(comparison(*op)), vec![left, right]),
        ExprKind::In { value, negated, ignore_case, .. } => {
            (Some(membership(*negated, *ignore_case)), vec![value])
        }
        ExprKind::Match { op, value, .. } => (Some(pattern(*op)), vec![value]),
        ExprKind::Call { ignore_case, arguments, .. } => {
            (Some(if *ignore_case { "f~" } else { "f" }), arguments.iter().collect())
        }
        // One event by itself does not decide it; docs/eql.md describes it.
        ExprKind::Lineage { .. } => (None, Vec::new()),
    };
    found.extend(symbol);
    for part in parts {
        collect(part, found);
    }
}

fn arithmetic(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulo => "%",
    }
}

fn comparison(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "==",
        CompareOp::NotEqual => "!=",
        CompareOp::Less => "<",
        CompareOp::LessOrEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterOrEqual => ">=",
    }
}

fn membership(negated: bool, ignore_case: bool) -> &'static str {
    match (negated, ignore_case) {
        (false, false) => "in",
        (false, true) => "in~",
        (true, false) => "not in",
        (true, true) => "not in~",
    }
}

fn pattern(op: MatchOp) -> &'static str {
    match op {
        MatchOp::Colon => ":",
        MatchOp::Like => "like",
        MatchOp::LikeIgnoreCase => "like~",
        MatchOp::Regex => "regex",
        MatchOp::RegexIgnoreCase => "regex~",
    }
}
