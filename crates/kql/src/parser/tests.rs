//! Queries and their trees as text: `(and (is a b) (not (is - "x y")))`; `-` is no field, `~a*` a wildcard.

use std::time::{Duration, Instant};

use super::*;

const ALL: ParseOptions = ParseOptions { leading_wildcards: true };
const NO_LEADING: ParseOptions = ParseOptions { leading_wildcards: false };

fn outline(node: &Node) -> String {
    let list = |name: &str, nodes: &[Node]| {
        let members: Vec<String> = nodes.iter().map(outline).collect();
        format!("({name} {})", members.join(" "))
    };
    match &node.kind {
        NodeKind::Is { field: None, value } => format!("(is - {})", literal_outline(value)),
        NodeKind::Is { field: Some(field), value } => {
            format!("(is {} {})", literal_outline(field), literal_outline(value))
        }
        NodeKind::Range { field, op, value } => {
            format!("({op} {} {})", literal_outline(field), literal_outline(value))
        }
        NodeKind::And(nodes) => list("and", nodes),
        NodeKind::Or(nodes) => list("or", nodes),
        NodeKind::Not(node) => format!("(not {})", outline(node)),
        NodeKind::Nested { path, query } => format!("(nested {} {})", literal_outline(path), outline(query)),
    }
}

fn literal_outline(literal: &Literal) -> String {
    match &literal.kind {
        LiteralKind::Null => "NULL".to_owned(),
        LiteralKind::Boolean(value) => value.to_string().to_uppercase(),
        LiteralKind::Text(text) => text.clone(),
        LiteralKind::Quoted(text) => format!("{text:?}"),
        LiteralKind::Wildcard(parts) => format!("~{}", parts.join("*")),
    }
}

fn check(query: &str, expected: &str) {
    let (tree, diagnostics) = parse(query, &ALL);
    let tree = tree.unwrap_or_else(|| panic!("{query}: {diagnostics:?}"));
    assert_eq!(outline(&tree), expected, "{query}");
}

/// The failure stands before the `^` in the query; the message and the help have these parts.
fn check_error(marked: &str, message: &str, help: &str) {
    check_error_with(ALL, marked, message, help);
}

fn check_error_with(options: ParseOptions, marked: &str, message: &str, help: &str) {
    let offset = marked.find('^').expect("a mark");
    let query = marked.replacen('^', "", 1);
    let (tree, diagnostics) = parse(&query, &options);
    assert!(tree.is_none(), "{query}: parsed");
    let [diagnostic] = diagnostics.as_slice() else { panic!("{query}: {diagnostics:?}") };
    assert_eq!(diagnostic.span.start, offset, "{query}: {diagnostic:?}");
    assert!(query.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{query}: {diagnostic:?}");
    assert!(diagnostic.message.contains(message), "{query}: {}", diagnostic.message);
    let found = diagnostic.help.as_deref().unwrap_or_default();
    assert!(found.contains(help), "{query}: {found}");
}

#[test]
fn lists_are_flat_and_bind_by_keyword() {
    check("a:1", "(is a 1)");
    check("a:1 and b:2 AND c:3", "(and (is a 1) (is b 2) (is c 3))");
    check("a:1 or b:2 and c:3 Or d:4", "(or (is a 1) (and (is b 2) (is c 3)) (is d 4))");
    check("(a:1 or b:2) or c:3", "(or (or (is a 1) (is b 2)) (is c 3))");
    check("not a:1 and NOT (b:2 or c:3)", "(and (not (is a 1)) (not (or (is b 2) (is c 3))))");
    check("not (not x)", "(not (not (is - x)))");
}

#[test]
fn values_and_fields() {
    check("", "(is ~* ~*)");
    check(" \t\r\n\u{a0}", "(is ~* ~*)");
    check("host : linux box  ", "(is host linux box)");
    check("\"host name\":\"linux box\"", "(is \"host name\" \"linux box\")");
    check("host.*: *", "(is ~host.* ~*)");
    check("ok:true or ok:null", "(or (is ok TRUE) (is ok NULL))");
    check("null:1", "(is NULL 1)");
    check("a = 1", "(is - a = 1)");
    check("port>=1024 and port<2000", "(and (>= port 1024) (< port 2000))");
    check("@timestamp <= \"2024-01-01\" or x > now-1h", "(or (<= @timestamp \"2024-01-01\") (> x now-1h))");
}

#[test]
fn value_lists_give_each_value_its_field() {
    check("a:(1 or 2 and not \"3\")", "(or (is a 1) (and (is a 2) (not (is a \"3\"))))");
    check("a:((1))", "(is a 1)");
    check("a:( not ( 1 or 2 ) )", "(not (or (is a 1) (is a 2)))");
    check("a:(\"x\" )", "(is a \"x\")");
    check("a:(1, 2)", "(is a 1, 2)");
}

#[test]
fn nested_groups() {
    check("a:{ b:1 and c:{ d > 2 } }", "(nested a (and (is b 1) (nested c (> d 2))))");
    check("not a : {b:(1 or 2)}", "(not (nested a (or (is b 1) (is b 2))))");
}

#[test]
fn keywords_that_are_text() {
    check("and", "(is - and)");
    check("x or", "(is - x or)");
    check("x or or y", "(or (is - x) (is - or y))");
    check("x and not", "(and (is - x) (is - not))");
    check("orders:android and notes:nothing", "(and (is orders android) (is notes nothing))");
}

#[test]
fn spans_cover_what_was_written() {
    let text = "  ü:(x or \"y\" )  and not ( z  ) ";
    let (tree, _) = parse(text, &ALL);
    let tree = tree.expect("a tree");
    assert_eq!(tree.span.slice(text), "ü:(x or \"y\" )  and not ( z  )");
    let NodeKind::And(members) = &tree.kind else { panic!("{tree:?}") };
    assert_eq!(members[0].span.slice(text), "ü:(x or \"y\" )");
    assert_eq!(members[1].span.slice(text), "not ( z  )");
    let NodeKind::Or(values) = &members[0].kind else { panic!("{tree:?}") };
    assert_eq!(values[1].span.slice(text), "\"y\"");
}

#[test]
fn something_is_missing() {
    check_error("a:1 and ^", "expected a field, a value, `not` or `(`, found the end", "after `and`");
    check_error("not ^", "expected a field, a value or `(`, found", "after `not`");
    check_error("(x or ^)", "found `)`", "after `or`");
    check_error("a:^", "expected a value, `(` or `{`", "write `*`");
    check_error("a >= ^", "expected a value to compare with", "");
    check_error("^:x", "found `:`", "the name of a field before the colon");
    check_error("^> 5", "found `>`", "the name of a field before `>`");
    check_error("a:(^)", "expected a value, `not` or `(`", "hold nothing");
    check_error("a:{ ^}", "found `}`", "hold nothing");
    check_error(
        "(a:1^",
        "expected `and`, `or` or `)`, found the end of the text",
        "close the bracket with `)`",
    );
    check_error("a:{ b:1 ^", "or `}`", "close the bracket with `}`");
    check_error("^\"abc", "found `\"`", "the closing quote is missing");
    check_error("dir:^\"C:\\\"", "found `\"`", "for a backslash at the end");
}

#[test]
fn not_in_the_wrong_place() {
    check_error("user:^not root", "found `not`", "write `not user:…`");
    check_error("user:(not ^not root)", "found `not`", "only one `not`");
    check_error("not ^NOT root", "found `NOT`", "only one `not`");
    check_error("size > ^not 5", "found `not`", "write `not size …`");
    check_error(
        "rope:slipk^not tied",
        "found `not`",
        "a literal ends before `not` followed by a space; quote",
    );
    check_error("rope ^not tied", "expected `:`, a comparison, `and`", "a literal ends before `not`");
    check_error("\"rope\" ^not tied", "found `not`", "`and not`");
    check_error("not^(a:1)", "found `(`", "`not` needs whitespace after it");
    check_error("a:(not^(1 or 2))", "found `(`", "`not` needs whitespace after it");
}

#[test]
fn operators_without_whitespace() {
    check_error("\"a\"^and \"b\"", "found `and`", "`and` needs whitespace on both sides");
    check_error("\"a\" ^OR\"b\"", "found `OR`", "`OR` needs whitespace on both sides");
    check_error("a:1 and^(b:2)", "found `(`", "`and` needs whitespace on both sides");
    check_error("(a:1) ^or", "found `or`", "`or` needs whitespace on both sides");
    check_error("(a:1)^(b:2)", "found `(`", "put `and` or `or` between");
    check_error("a:\"x\" ^\"y\"", "found `\"`", "put `and` or `or` between");
    check_error("a:\"x\" ^über y", "found `über`", "put `and` or `or` between");
}

#[test]
fn special_characters_in_text() {
    check_error("path:C^:\\\\x", "found `:`", "in double quotes or write `\\:`");
    check_error("path:x^\\qed", "found `\\`", "double the backslash");
    check_error("path:^\\qed", "found `\\`", "double the backslash");
    check_error("a:1^)", "found `)`", "no bracket is open here");
    check_error("(a:1^}", "found `}`", "closed by `)`");
    check_error("a:x^<y", "found `<`", "write `\\<`");
    check_error("a:^>= 5", "found `>`", "write `a >= …`");
    check_error("a:(b^:c)", "found `:`", "a list holds values only");
    check_error("a:(^> 1)", "found `>`", "a list holds values only");
    check_error("a > ^(1 or 2)", "found `(`", "a comparison takes one value");
    check_error("x ^{ y }", "found `{`", "a nested group stands right after a field");
}

#[test]
fn leading_wildcards_can_be_switched_off() {
    let check_off = |marked: &str| check_error_with(NO_LEADING, marked, "a value begins with `*`", "switch");
    check_off("^*sh");
    check_off("shell:(bash or ^*sh)");
    check_off("shell:^**");
    for query in ["*", "shell:*", "shell:b*h*", "shell:\"*sh\"", "*:x", "\\*x"] {
        assert_eq!(parse(query, &NO_LEADING).1, [], "{query}");
    }
}

#[test]
fn single_literals() {
    let check = |text: &str, expected: &str| {
        let (literal, diagnostics) = parse_literal(text);
        let literal = literal.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"));
        assert_eq!(literal_outline(&literal), expected, "{text}");
    };
    check("a b", "a b");
    check("\"a:b\"", "\"a:b\"");
    check("ba*", "~ba*");
    check("false", "FALSE");
    for (text, offset) in [("", 0), ("a:b", 1), ("a or b", 1), ("\"a\" ", 3), ("not x", 0)] {
        let (literal, diagnostics) = parse_literal(text);
        assert!(literal.is_none(), "{text}");
        assert_eq!(diagnostics[0].span.start, offset, "{text}");
    }
}

#[test]
fn nesting_is_limited() {
    for (open, inner, close) in [("(", "x", ")"), ("a:{", "x", "}"), ("not (", "x", ")"), ("(", "a:(x)", ")")]
    {
        let query = |depth: usize| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let own = inner.matches('(').count();
        assert!(parse(&query(NESTING_MAX - own), &ALL).0.is_some(), "{open}");
        let (tree, diagnostics) = parse(&query(NESTING_MAX - own + 1), &ALL);
        assert!(tree.is_none(), "{open}");
        assert_eq!(diagnostics[0].code, codes::KQL_NESTING, "{open}");
    }
    // Brackets side by side do not add up.
    assert!(parse(&vec!["(x)"; NESTING_MAX * 2].join(" or "), &ALL).0.is_some());
}

#[test]
fn size_is_limited() {
    let check = |query: &str, fits: bool| {
        let (tree, diagnostics) = parse(query, &ALL);
        assert_eq!(tree.is_some(), fits, "{diagnostics:?}");
        assert!(fits || diagnostics[0].code == codes::PLAN_TOO_LARGE, "{diagnostics:?}");
    };
    check(&"x".repeat(QUERY_BYTES_MAX), true);
    check(&"x".repeat(QUERY_BYTES_MAX + 1), false);
    assert_eq!(parse_literal(&"x".repeat(QUERY_BYTES_MAX + 1)).1[0].code, codes::PLAN_TOO_LARGE);
    let values = vec!["1"; 1000].join(" or ");
    check(&format!("{}:({values})", "f".repeat(FIELD_COPIES_BYTES_MAX / 1000)), true);
    check(&format!("{}:({values})", "f".repeat(FIELD_COPIES_BYTES_MAX / 1000 + 1)), false);
}

/// Texts at the size limit that would take a backtracking parser, or one that looks ahead too often, minutes.
#[test]
fn hostile_texts_take_no_time() {
    let pieces = [
        " ", "(", "a:(", "a:{ ", "not ", "\"", "\\", "*", "a or ", "or ", " and", "((a) ", "\"a\" ",
        "a:{b:(", "knot",
    ];
    let started = Instant::now();
    for piece in pieces {
        let _ = parse(&piece.repeat(QUERY_BYTES_MAX / piece.len()), &ALL);
        let _ = parse(&format!("x{}y", piece.repeat(QUERY_BYTES_MAX / piece.len() - 2)), &ALL);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
