//! Texts that parse and print, texts that do not, and properties: nothing panics, messages fit the text, what is printed
//! reads as the same tree.

use maxspan_diagnostics::{Source, has_errors};
use maxspan_esql::run::{Options, RunError, Tables, run};
use maxspan_esql::{EventSchema, Value, analyze, parse, to_esql};
use proptest::prelude::*;

#[test]
fn queries_are_printed_in_one_way() {
    let check = |text: &str, expected: &str| {
        let (tree, found) = parse(text);
        assert!(found.is_empty(), "{text}: {found:?}");
        assert_eq!(to_esql(&tree), expected, "{text}");
    };
    check(
        "from logs-*,-logs-x metadata _id|where a==1 and not b",
        "FROM logs-*, -logs-x METADATA _id\n| WHERE a == 1 AND NOT b",
    );
    check("row a = (1 + 2) * 3, b = 1 + 2 * 3", "ROW a = (1 + 2) * 3, b = 1 + 2 * 3");
    check("row a = 1 - (2 - 3)", "ROW a = 1 - (2 - 3)");
    check("row a = not (b or c) and d", "ROW a = NOT (b OR c) AND d");
    check("row a = -(b)::int", "ROW a = -b::int");
    check("row a = `by`, `odd name` = source.`as`.number", "ROW a = `by`, `odd name` = source.as.number");
    check("from x | keep a*, `b*`, *.c", "FROM x\n| KEEP a*, `b*`, *.c");
    check("row a = \"\"\"C:\\x\"\"\", b = \"t\\t\\\"\"", "ROW a = \"C:\\\\x\", b = \"t\\t\\\"\"");
    check(
        "from x | stats c = count(*) where a > 1, b by d = e % 2",
        "FROM x\n| STATS c = count(*) WHERE a > 1, b BY d = e % 2",
    );
    check("from x | sort a desc nulls last, b | limit 3 ;", "FROM x\n| SORT a DESC NULLS LAST, b\n| LIMIT 3");
    check(
        "from x | where m : \"w\" and a not in (1, 2) and b not like \"x*\"",
        "FROM x\n| WHERE m : \"w\" AND a NOT IN (1, 2) AND b NOT LIKE (\"x*\")",
    );
    check(
        "set time_zone = \"+01:00\"; row a = 1 day /* x /* y */ */ // z",
        "SET time_zone = \"+01:00\";\nROW a = 1 day",
    );
    check("from x | rename a as b, c = d", "FROM x\n| RENAME a AS b, d AS c");
    check(
        "from x | enrich p on a with b = c, d | lookup join t on e",
        "FROM x\n| ENRICH p ON a WITH b = c, d\n| LOOKUP JOIN t ON e",
    );
    check(
        "row a = to_ip(\"192.0.2.010\", {\"leading_zeros\": \"octal\"})",
        "ROW a = to_ip(\"192.0.2.010\", {\"leading_zeros\": \"octal\"})",
    );
}

#[test]
fn what_rules_ask_of_a_tree() {
    let check = |text: &str, patterns: &[&str], aggregating: bool, expanded: &[&str]| {
        let (tree, _) = parse(text);
        assert_eq!(tree.index_patterns(), patterns, "{text}");
        assert_eq!(tree.is_aggregating(), aggregating, "{text}");
        assert_eq!(tree.expanded_columns(), expanded, "{text}");
    };
    check(
        "from logs-a.*, \"b c\", -logs-a.x* metadata _id | keep *",
        &["logs-a.*", "b c", "-logs-a.x*"],
        false,
        &[],
    );
    check("from a | stats count(*) by b", &["a"], true, &[]);
    check("from a | inline stats n = count(*) by b | mv_expand c.d", &["a"], false, &["c.d"]);
    check("row a = 1", &[], false, &[]);
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let check = |text: &str, place: &str, code: &str| {
        let (_, found) = parse(text);
        let source = Source::new("query", text);
        let first = found.first().unwrap_or_else(|| panic!("{text} parses"));
        assert_eq!(
            (source.position(first.span.start).to_string().as_str(), first.code.to_string().as_str()),
            (place, code),
            "{text}: {found:?}"
        );
    };
    check("", "1:1", "MX2002");
    check("where a == 1", "1:1", "MX2002");
    check("from x | wher a == 1", "1:10", "MX2002");
    check("from x | where a = 1", "1:18", "MX2002");
    check("from x | where a ==", "1:20", "MX2002");
    check("from x | where a == 'b'", "1:21", "MX2001");
    check("from x | where a == \"b", "1:21", "MX2001");
    check("from x | where a == \"\\d\"", "1:22", "MX2001");
    check("from x | where a == ?b", "1:21", "MX2004");
    check("from x | completion a = b with {}", "1:10", "MX2004");
    check("from x | eval a = 1 | from y", "1:23", "MX2002");
    check("from x | keep", "1:14", "MX2002");
    check("from x | stats c = count(*) by", "1:31", "MX2002");
    check("from x /* y", "1:8", "MX2001");
    let deep = format!("row a = {}1{}", "(".repeat(200), ")".repeat(200));
    check(&deep, "1:109", "MX2003");
    let long = format!("row a = 1{}", " + 1".repeat(1_000));
    check(&long, "1:9", "MX2003");
}

#[test]
fn reading_goes_on_after_a_mistake() {
    let (tree, found) = parse("from x | where == | eval a = | keep b | limit 1");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(tree.commands.len(), 3);
}

/// Makes a query of an expression and says what is wrong with it.
#[test]
fn meaning_is_checked() {
    let check = |text: &str, code: &str, help: &str| {
        let source = Source::new("query", text);
        let (tree, found) = parse(text);
        assert!(found.is_empty(), "{text}: {found:?}");
        let (query, found) = analyze(&tree, &source, &Tables::default());
        assert!(query.is_none(), "{text}");
        let codes: Vec<String> = found.iter().map(|one| one.code.to_string()).collect();
        assert_eq!(codes, [code], "{text}: {found:?}");
        assert!(found[0].help.clone().unwrap_or_default().contains(help), "{text}: {found:?}");
    };
    check("ROW alpha = 1 | EVAL b = alhpa", "MX2006", "alpha");
    check("FROM nowhere", "MX2005", "");
    check("ROW a = lenght(\"x\")", "MX2007", "LENGTH");
    check("ROW a = LENGTH()", "MX2008", "");
    check("ROW a = LENGTH(1)", "MX2009", "");
    check("ROW a = 1 + \"x\"", "MX2009", "");
    check("ROW a = 1 == \"1\"", "MX2009", "::string");
    check("ROW a = TO_IP(\"192.0.2.1\") == \"x\"", "MX2009", "");
    check("ROW a = \"x\" | WHERE a", "MX2009", "");
    check("ROW a = COUNT(1)", "MX2012", "");
    check("ROW a = 1 | STATS a", "MX2012", "BY");
    check("ROW a = 1 | STATS MAX(MIN(a))", "MX2012", "");
    check("ROW a = [\"x\", \"y\"] | MV_EXPAND a | WHERE \"x\" LIKE a", "MX2010", "");
    check("ROW a = \"x\" | WHERE a RLIKE \"(\"", "MX2011", "");
    check("ROW a = \"x\" | GROK a \"%{NOSUCH:b}\"", "MX2011", "");
    check("ROW a = \"x\" | DISSECT a \"b\"", "MX2011", "");
    check("SET time_zon = \"UTC\"; ROW a = 1", "MX2013", "time_zone");
    check("ROW a = 1 | LOOKUP JOIN t ON a", "MX2005", "");
    check("ROW a = 1 | LIMIT \"x\"", "MX2010", "");
}

#[test]
fn columns_that_were_left_out_are_gone() {
    let schema = EventSchema::new(maxspan_event::Schema::built_in());
    let check = |text: &str, expected: &[&str]| {
        let source = Source::new("query", text);
        let (_, found) = analyze(&parse(text).0, &source, &schema);
        let codes: Vec<String> = found.iter().map(|one| one.code.to_string()).collect();
        assert_eq!(codes, expected, "{text}: {found:?}");
    };
    check("FROM x | WHERE process.name == \"a\" AND no.such == 1 | KEEP process.name", &["MX2014"]);
    check("FROM x | KEEP host.name | WHERE process.name == \"a\"", &["MX2006"]);
    check("FROM x | KEEP host.name | WHERE no.such == \"a\"", &["MX2006"]);
    check("FROM x | KEEP host.name, * | WHERE no.such == \"a\"", &["MX2014"]);
    check("FROM x | DROP process.name | WHERE process.name == \"a\"", &["MX2006"]);
    check("FROM x | RENAME process.name AS p | WHERE process.name == p", &["MX2006"]);
    check("FROM x | STATS COUNT(*) BY host.name | WHERE process.name == \"a\"", &["MX2006"]);
    check("FROM x | WHERE KQL(\"@timestamp > \\\"now-1h\\\"\")", &["MX2004"]);
    check("FROM x | WHERE process.name.caseless == \"a\" | KEEP process.name", &[]);
}

#[test]
fn memory_and_time_are_limited() {
    let expand = |columns: usize| {
        let names: Vec<String> = (0..columns).map(|i| format!("c{i}")).collect();
        let row: Vec<String> =
            names.iter().map(|name| format!("{name} = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")).collect();
        let expand: String = names.iter().map(|name| format!(" | MV_EXPAND {name}")).collect();
        format!("ROW {}{expand}", row.join(", "))
    };
    let check = |text: String, options: Options<'_>, expected: RunError| {
        let source = Source::new("query", text.clone());
        let tables = Tables::default();
        let query = analyze(&parse(&text).0, &source, &tables).0.unwrap();
        assert_eq!(run(&query, &tables, &options), Err(expected), "{text}");
    };
    let memory_bytes = Some(1_000_000);
    let limited = || Options { memory_bytes, ..Options::default() };
    check(expand(6) + " | SORT c0", limited(), RunError::Memory { limit: 1_000_000 });
    check(
        expand(6) + " | STATS v = VALUES(c0 * 100000 + c1 * 10000 + c2 * 1000 + c3 * 100 + c4 * 10 + c5)",
        limited(),
        RunError::Memory { limit: 1_000_000 },
    );
    check(
        expand(6) + " | STATS COUNT(*) BY c0, c1, c2, c3, c4",
        limited(),
        RunError::Memory { limit: 1_000_000 },
    );
    let stop = || true;
    check(
        expand(12) + " | STATS COUNT(*)",
        Options { stop: Some(&stop), ..Options::default() },
        RunError::Stopped,
    );
}

#[test]
fn patterns_that_explode_are_null_with_a_warning() {
    let text = "ROW a = CONCAT(REPEAT(\"a\", 60), \"!\") | GROK a \"(?<b>(?:(?=a)a+)+)c\" | EVAL d = REPLACE(a, \"(?:(?=a)a+)+c\", \"\")";
    let source = Source::new("query", text);
    let tables = Tables::default();
    let query = analyze(&parse(text).0, &source, &tables).0.unwrap();
    let outcome = run(&query, &tables, &Options::default()).unwrap();
    assert_eq!(outcome.rows[0][1..], [Value::Null, Value::Null]);
    let steps = outcome.warnings.iter().filter(|warning| warning.contains("too many steps")).count();
    assert_eq!(steps, 2, "{:?}", outcome.warnings);
}

#[test]
fn limits_of_rows_are_said() {
    let text = "ROW a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] | EVAL b = a, c = a, d = a | MV_EXPAND a | MV_EXPAND b | MV_EXPAND c | MV_EXPAND d";
    let source = Source::new("query", text);
    let tables = Tables::default();
    let query = analyze(&parse(text).0, &source, &tables).0.unwrap();
    let outcome = run(&query, &tables, &Options::default()).unwrap();
    assert_eq!(outcome.rows.len(), 1_000);
    assert_eq!(outcome.rows[999].last(), Some(&Value::Int(10)));
    assert!(outcome.warnings.iter().any(|warning| warning.contains("limit")), "{:?}", outcome.warnings);
}

/// Pieces of queries, right and wrong, so that mistakes stand beside what is right.
const PIECES: &[&str] = &[
    "FROM",
    "ROW",
    "WHERE",
    "EVAL",
    "STATS",
    "INLINE STATS",
    "KEEP",
    "DROP",
    "RENAME",
    "SORT",
    "LIMIT",
    "DISSECT",
    "GROK",
    "MV_EXPAND",
    "ENRICH",
    "LOOKUP JOIN",
    "COMPLETION",
    "BY",
    "AS",
    "ON",
    "WITH",
    "|",
    "|",
    "|",
    "a",
    "b",
    "a.b",
    "`c d`",
    "=",
    "==",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "::int",
    "::ip",
    "LIKE",
    "RLIKE",
    "IN",
    "NOT",
    "IS NULL",
    "AND",
    "OR",
    "null",
    "true",
    "1",
    "2.5",
    "1e400",
    "\"x\"",
    "\"%{WORD:w}\"",
    "\"%{k} %{l}\"",
    "\"\"\"raw\"\"\"",
    "\"192.0.2.1\"",
    "1 day",
    "COUNT(*)",
    "SUM(a)",
    "CASE(",
    "LENGTH(",
    "MV_SLICE(",
    "REPEAT(",
    "TO_STRING(",
    "DATE_TRUNC(",
    "KQL(\"a:b\")",
    ":",
    "\"unterminated",
    "?p",
    "/*",
    "*/",
    "//",
    ";",
    "SET x =",
    "é",
    "🦀",
    "9223372036854775808",
    "a*",
    "METADATA _id",
    "ASC NULLS FIRST",
];

fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(PIECES);
    prop::collection::vec(words, 0..30).prop_map(|words| words.join(" "))
}

/// Everything that can be done with a text is done.
fn survives(text: &str) {
    let source = Source::new("query", text);
    let (tree, found) = parse(text);
    for diagnostic in &found {
        assert!(
            diagnostic.span.end <= text.len() && text.is_char_boundary(diagnostic.span.start),
            "{diagnostic:?}"
        );
    }
    let tables = Tables::default();
    let (query, messages) = analyze(&tree, &source, &tables);
    assert_eq!(query.is_none(), has_errors(&messages), "{text}");
    if has_errors(&found) {
        return;
    }
    let printed = to_esql(&tree);
    let (again, problems) = parse(&printed);
    assert!(problems.is_empty() && again == tree, "{text}\nprinted as {printed}\n{problems:?}");
    if let Some(query) = query {
        let _ = run(&query, &tables, &Options { memory_bytes: Some(1 << 24), ..Options::default() });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_survives(text in "\\PC{0,80}") {
        survives(&text);
    }

    #[test]
    fn pieces_of_queries_survive(text in pieces()) {
        survives(&text);
        survives(&format!("ROW a = 1, b = \"x\" | {text}"));
        survives(&format!("ROW a = [1, 2], b = {text}"));
    }
}
