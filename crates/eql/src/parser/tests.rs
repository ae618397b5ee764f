//! Trees and errors of small queries. A tree is compared as text in prefix notation: `(and (== a 1) b)`.

use maxspan_diagnostics::codes;

use super::{ParseOptions, parse, parse_expression, parse_with};
use crate::ast::{Expr, ExprKind, Query, QueryKind, Stage};
use crate::limits::{NESTING_MAX, QUERY_BYTES_MAX};

fn check(text: &str, expected: &str) {
    let (tree, diagnostics) = parse_expression(text);
    assert_eq!(diagnostics, [], "{text}");
    assert_eq!(show(&tree.expect(text)), expected, "{text}");
}

fn check_query(text: &str, expected: &str) {
    let (tree, diagnostics) = parse(text);
    assert_eq!(diagnostics, [], "{text}");
    assert_eq!(show_query(&tree.expect(text)), expected, "{text}");
}

/// Every message begins as expected, in order; its span covers `bad` of the query, given before it.
fn check_errors(text: &str, expected: &[(&str, &str)]) {
    let (tree, diagnostics) = parse(text);
    assert_eq!(tree, None, "{text}");
    let found: Vec<_> = diagnostics.iter().map(|d| (d.span.slice(text), d.message.as_str())).collect();
    assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
    for ((bad, message), (expected_bad, beginning)) in found.iter().zip(expected) {
        assert_eq!(bad, expected_bad, "{text}: {message}");
        assert!(message.starts_with(beginning), "{text}: {message}");
    }
}

fn check_help(text: &str, help: &str) {
    let (_, diagnostics) = parse(text);
    let found = diagnostics.first().and_then(|first| first.help.as_deref()).unwrap_or_default();
    assert!(found.contains(help), "{text}: {diagnostics:?}");
}

fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Boolean(value) => value.to_string(),
        ExprKind::Integer(value) => value.to_string(),
        ExprKind::Decimal(value) => format!("{value:?}"),
        ExprKind::String(value) => format!("{value:?}"),
        ExprKind::Field(field) if field.optional => format!("?{}", field.name),
        ExprKind::Field(field) => field.name.clone(),
        ExprKind::Not(operand) => list("not", [&**operand]),
        ExprKind::And(items) => list("and", items),
        ExprKind::Or(items) => list("or", items),
        ExprKind::Negate(operand) => list("-", [&**operand]),
        ExprKind::Arithmetic { op, left, right } => list(&format!("{op:?}"), [&**left, &**right]),
        ExprKind::Compare { op, left, right } => list(&format!("{op:?}"), [&**left, &**right]),
        ExprKind::In { value, list: items, negated, ignore_case } => {
            let name = format!("{}in{}", if *negated { "not-" } else { "" }, tilde(*ignore_case));
            list(&name, std::iter::once(&**value).chain(items))
        }
        ExprKind::Match { op, value, patterns } => {
            list(&format!("{op:?}"), std::iter::once(&**value).chain(patterns))
        }
        ExprKind::Call { name, ignore_case, arguments, .. } => {
            list(&format!("{name}{}", tilde(*ignore_case)), arguments)
        }
        ExprKind::Lineage { relation, query } => format!("({relation:?} {})", show(&query.condition)),
    }
}

fn tilde(ignore_case: bool) -> &'static str {
    if ignore_case { "~" } else { "" }
}

fn list<'a>(name: &str, items: impl IntoIterator<Item = &'a Expr>) -> String {
    let items: Vec<_> = items.into_iter().map(show).collect();
    format!("({name} {})", items.join(" "))
}

fn show_query(query: &Query) -> String {
    let mut shown = match &query.kind {
        QueryKind::Event(event) => {
            format!("{} {}", event.category.as_deref().unwrap_or("any"), show(&event.condition))
        }
        QueryKind::Sequence(sequence) => {
            let maxspan = sequence.maxspan.map_or_else(String::new, |span| format!(" {}ms", span.millis));
            let until = sequence.until.iter().map(|stage| format!(" until{}", show_stage(stage)));
            let stages = sequence.stages.iter().map(show_stage).chain(until).collect::<String>();
            format!("sequence{}{maxspan}{stages}", show_keys(&sequence.by))
        }
        QueryKind::Sample(sample) => {
            let stages = sample.stages.iter().map(show_stage).collect::<String>();
            format!("sample{}{stages}", show_keys(&sample.by))
        }
    };
    for pipe in &query.pipes {
        shown.push_str(&list(&format!("|{}", pipe.name), &pipe.arguments));
    }
    shown
}

fn show_stage(stage: &Stage) -> String {
    let missing = if stage.missing { "!" } else { "" };
    let category = stage.query.category.as_deref().unwrap_or("any");
    let runs = stage.runs.map_or_else(String::new, |runs| format!(" x{}", runs.count));
    format!(" {missing}[{category} {}]{}{runs}", show(&stage.query.condition), show_keys(&stage.by))
}

fn show_keys(keys: &[Expr]) -> String {
    if keys.is_empty() { String::new() } else { format!(" {}", list("by", keys)) }
}

#[test]
fn operators_bind_by_precedence() {
    check("a or b and not c", "(or a (and b (not c)))");
    check("(a or b) and c and d", "(and (or a b) c d)");
    check("not a == 1 and b", "(and (not (Equal a 1)) b)");
    check("not not a", "(not (not a))");
    check("a + b * c - d", "(Subtract (Add a (Multiply b c)) d)");
    check("a * b + c / d % e", "(Add (Multiply a b) (Modulo (Divide c d) e))");
    check("(a + b) * -c", "(Multiply (Add a b) (- c))");
    check("a + 1 < b * 2", "(Less (Add a 1) (Multiply b 2))");
    check("a - 1 in (1, 2)", "(in (Subtract a 1) 1 2)");
    check("x : \"a\" == true", "(Equal (Colon x \"a\") true)");
    check("true == (x not in~ (1))", "(Equal true (not-in~ x 1))");
    check("not x in (a, null)", "(not (in x a null))");
    check("x like (\"a*\", \"b\") or y regex~ \"c\"", "(or (Like x \"a*\" \"b\") (RegexIgnoreCase y \"c\"))");
}

#[test]
fn signs_are_folded_into_literals() {
    check("-1", "-1");
    check("- 1.5", "-1.5");
    check("--1", "1");
    check("-(2)", "-2");
    check("-(a)", "(- a)");
    check("+1 - -1", "(Subtract 1 -1)");
    check("-9223372036854775808", "-9223372036854775808");
    check("2 -1", "(Subtract 2 1)");
}

#[test]
fn names_and_calls() {
    check("@timestamp", "@timestamp");
    check("?a.b == null", "(Equal ?a.b null)");
    check("a.`b.c`.`d``e`", "a.b.c.d`e");
    check("?`any`", "?any");
    check("child == of", "(Equal child of)");
    check("head < tail", "(Less head tail)");
    check("a-b", "(Subtract a b)");
    check("LENGTH (a) > 0", "(Greater (LENGTH a) 0)");
    check("startsWith~(a, concat(b, 1 == 2))", "(startsWith~ a (concat b (Equal 1 2)))");
    check("unknown()", "(unknown )");
    check("\"a\\u{1F600}\" : \"\"\"\\d\"\"\"", "(Colon \"a😀\" \"\\\\d\")");
}

#[test]
fn spans_are_of_the_whole_expression() {
    let check = |text: &str, expected: &str| {
        let (tree, _) = parse_expression(text);
        assert_eq!(tree.expect(text).span.slice(text), expected, "{text}");
    };
    check(" a == 1 ", "a == 1");
    check("(a)", "a");
    check("(a) == (b) ", "(a) == (b)");
    check("f ( a ) /* c */", "f ( a )");
    check("?a.`b`", "?a.`b`");
    check("not (a)", "not (a)");
    check("x in (1)", "x in (1)");
    check("-5", "-5");
}

#[test]
fn statements() {
    check_query("any where true", "any true");
    check_query("\"a-b\" where x // comment", "a-b x");
    check_query("process where x | head 3 | tail 0", "process x(|head 3)(|tail 0)");
    check_query("child where child of [any where x]", "child (Child x)");
    check_query("sequence [a where x] [b where y]", "sequence [a x] [b y]");
    check_query(
        "sequence by k, ?l with maxspan = 2m [a where x] by m with runs=3 until [b where y] by n",
        "sequence (by k ?l) 120000ms [a x] (by m) x3 until [b y] (by n)",
    );
    check_query("sequence with maxspan=500ms [a where x] ![b where y]", "sequence 500ms [a x] ![b y]");
    check_query(
        "sequence by k [a where runs > maxspan] with runs=2",
        "sequence (by k) [a (Greater runs maxspan)] x2",
    );
    check_query("sample by k [a where x] [b where y]", "sample (by k) [a x] [b y]");
    check_query("sample [a where x] by k [b where y] by l", "sample [a x] (by k) [b y] (by l)");
    for (unit, millis) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)] {
        let query = format!("sequence with maxspan=1{unit} [a where x] [b where y]");
        check_query(&query, &format!("sequence {millis}ms [a x] [b y]"));
    }
}

#[test]
fn grammar_errors_end_the_parse() {
    check_errors("", &[("", "mismatched input '<EOF>'")]);
    check_errors("a", &[("", "mismatched input '<EOF>' expecting 'where'")]);
    check_errors("in where x", &[("in", "mismatched input 'in'")]);
    check_errors("a where x y", &[("y", "mismatched input 'y'")]);
    check_errors("a where x == 'y' z", &[("z", "mismatched"), ("'y'", "Use double quotes")]);
    check_errors("a where x < y < z", &[("<", "mismatched input '<'")]);
    check_errors("a where x == not y", &[("not", "mismatched input 'not'")]);
    check_errors("a where x in ()", &[(")", "mismatched input ')'")]);
    check_errors("a where x in (1,)", &[(")", "mismatched input ')'")]);
    check_errors("a where x : y", &[("y", "mismatched input 'y'")]);
    check_errors("a where x in (1) in (2)", &[("in", "mismatched input 'in'")]);
    check_errors("a where x[0] == 1 y", &[("0", "Array indexes")]);
    check_errors("a where x.sequence", &[("sequence", "mismatched")]);
    check_errors("a where x ~ y", &[("~", "token recognition error")]);
    check_errors("a where x y z ~", &[("y", "mismatched input 'y'")]);
    check_errors("join by x [a where b]", &[("join", "Join is not supported")]);
    check_errors("sequence where x", &[("where", "mismatched")]);
    check_errors("sequence [a where x] [b where y", &[("", "mismatched input '<EOF>'")]);
    check_errors("sample by k ![a where x]", &[("![", "mismatched")]);
    check_errors("sample by k [a where x] with runs=2", &[("with", "mismatched")]);
    check_errors("a where x | sort y z", &[("sort", "Pipe [sort] is not supported")]);
}

#[test]
fn other_errors_are_collected() {
    check_errors("a where x == 'y' or z == ?'y'", &[("'y'", "Use double quotes"), ("?'y'", "Use triple")]);
    check_errors("a where \"\\u{0}\"", &[("\"\\u{0}\"", "Unicode sequence in curly braces")]);
    check_errors("a where x == 9223372036854775808", &[("9223372036854775808", "Number [")]);
    check_errors("a where x == --9223372036854775808", &[("-9223372036854775808", "Number [")]);
    check_errors("a where x == 1e400", &[("1e400", "Number [")]);
    check_errors("a where length()", &[("length", "error building [length]: expects exactly one argument")]);
    check_errors("a where endswith~(x)", &[("endswith", "error building [endswith]: expects exactly two")]);
    check_errors("a where x | head", &[("head", "Pipe [head] takes exactly one argument, found [0]")]);
    check_errors("a where x | tail -1", &[("-1", "Pipe [tail] takes a number")]);
}

#[test]
fn sequences_and_samples_are_checked() {
    let sequence = |options: &str, expected: &[(&str, &str)]| {
        check_errors(&format!("sequence {options} [a where x] [b where y]"), expected);
    };
    sequence("with maxspan=5", &[("5", "No time unit specified, did you mean [s] as in [5s]?")]);
    sequence("with maxspan=5w", &[("5w", "Unrecognized time unit [w]")]);
    sequence("with maxspan=5 m", &[("m", "mismatched"), ("5", "No time unit")]);
    sequence("with maxspan=1.5m", &[("1.5m", "A time span is a whole number")]);
    sequence("with maxspan=0s", &[("0s", "A positive maxspan value")]);
    sequence("with maxspan=999999999999999999d", &[("999999999999999999d", "Time span [")]);
    sequence("with max=5m", &[("max", "Unrecognized option [max], expecting [maxspan]")]);
    sequence("with maxspan=5m by k", &[("sequence", "Please specify sequence [by] before")]);
    check_errors("sequence [a where x] with runs=0", &[("0", "A positive runs value")]);
    check_errors("sequence [a where x] with runs=101", &[("101", "A query cannot be repeated more")]);
    check_errors("sequence [a where x] with runs=2s", &[("2s", "A whole number of runs")]);
    check_errors(
        "sequence [a where x]",
        &[("sequence", "A sequence requires a minimum of 2 queries, found [1]")],
    );
    check_errors("sequence [a where x] ![b where y]", &[("sequence", "[maxspan] is required")]);
    check_errors(
        "sequence with maxspan=1s ![a where x] ![b where y]",
        &[("sequence", "A sequence requires at")],
    );
    check_errors(
        "sequence [a where x] by k [b where y]",
        &[("[b where y]", "Inconsistent number of join keys")],
    );
    check_errors("sample by k [a where x]", &[("sample", "A sample requires a minimum")]);
    check_errors("sample [a where x] [b where y]", &[("sample", "A sample must have at least one join key")]);
    let many = "[a where x] with runs=100 ".repeat(3);
    check_errors(&format!("sequence {many}"), &[("sequence", "A sequence cannot contain more than 256")]);
}

#[test]
fn messages_say_the_way_out() {
    check_help("a where x = 1", "`==`");
    check_help("a where x == 'y'", "\"y\"");
    check_help("a where x AND y", "`and`");
    check_help("a where sequence == 1", "`` `sequence` ``");
    check_help("a where x == y == z", "do not chain");
    check_help("a where x : y", "`==`");
    check_help("a where x not like \"y\"", "`not x like …`");
    check_help("a where x && y", "`and`");
    check_help("a where x : \"C:\\Windows\"", "`\\\\`");
    check_help("`a` where x", "double quotes");
    check_help("a where x by y", "only a `sequence`");
    check_help("sequence by k [a where x] with runs=2 by l", "before `with runs");
    check_help("a where x | count", "`head` and `tail`");
    check_help("a where x.0", "backquotes");
}

#[test]
fn lineage_is_refused_first_where_it_is_off() {
    let text = "a where x and child of [b where = =";
    let (_, diagnostics) = parse_with(text, &ParseOptions { lineage: false });
    assert_eq!(diagnostics[0].code, codes::EQL_UNSUPPORTED);
    assert_eq!(diagnostics[0].span.slice(text), "child");
    let (_, diagnostics) = parse(text);
    assert_eq!(diagnostics[0].code, codes::EQL_SYNTAX);
}

#[test]
fn nesting_and_size_are_limited() {
    let check = |text: &str, accepted: bool| {
        let (tree, diagnostics) = parse_expression(text);
        assert_eq!(tree.is_some(), accepted, "{diagnostics:?}");
        assert!(accepted || diagnostics[0].code == codes::EQL_NESTING, "{diagnostics:?}");
    };
    let nested = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    check(&nested(NESTING_MAX - 1), true);
    check(&nested(NESTING_MAX), false);
    check(&nested(100_000), false);
    check(&format!("{}a", "not ".repeat(100_000)), false);
    check(&format!("a{}", " + a".repeat(NESTING_MAX - 1)), true);
    check(&format!("a{}", " + a".repeat(NESTING_MAX)), false);
    check(&format!("a{}", " and a".repeat(10_000)), true);
    check(&"x in (a or b and c == d + e * -f(".repeat(1_000), false);
    check(&"child of [any where ".repeat(1_000), false);
    let (_, diagnostics) = parse(&" ".repeat(QUERY_BYTES_MAX + 1));
    assert_eq!(diagnostics[0].code, codes::PLAN_TOO_LARGE);
}
