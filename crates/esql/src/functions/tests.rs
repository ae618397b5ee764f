//! Examples, names, and what all functions have in common.

use maxspan_diagnostics::Source;

use super::{all, find};
use crate::aggregates::AGGREGATES;
use crate::language::SPECIAL;
use crate::run::{Options, Tables, run};
use crate::{Value, analyze, parse};

/// The values of the columns of the only row.
fn row(query: &str) -> Vec<Value> {
    let source = Source::new("query", query);
    let (tree, found) = parse(query);
    assert!(found.is_empty(), "{query}: {found:?}");
    let tables = Tables::default();
    let (query, found) = analyze(&tree, &source, &tables);
    let query = query.unwrap_or_else(|| panic!("{}: {found:?}", source.text));
    run(&query, &tables, &Options::default()).unwrap().rows.remove(0)
}

/// Both sides as text, so that dates and addresses can be written as they are shown.
fn check(call: &str, expected: &str) {
    let both = row(&format!("ROW found = {call}, wanted = {expected}"));
    let text = |value: &Value| {
        let parts = value.values().iter().map(|value| crate::to_text(value.borrowed()));
        parts.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(text(&both[0]), text(&both[1]), "{call}");
}

#[test]
fn examples_of_functions_are_true() {
    for function in all() {
        assert!(!function.examples.is_empty(), "{} has no example", function.name);
        for (call, expected) in function.examples {
            check(call, expected);
        }
    }
}

#[test]
fn names_are_unique_and_documented() {
    let mut names: Vec<&str> =
        all().flat_map(|function| function.aliases.iter().chain([&function.name])).copied().collect();
    names.extend(AGGREGATES.iter().flat_map(|function| function.aliases.iter().chain([&function.name])));
    names.extend(SPECIAL.iter().map(|special| special.name));
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1], "is there twice");
    }
    for function in all() {
        assert!(!function.summary.is_empty() && !function.group.is_empty(), "{}", function.name);
        assert_eq!(find(&function.name.to_lowercase()).map(|found| found.name), Some(function.name));
    }
}

#[test]
fn null_and_several_values() {
    let check =
        |call: &str, expected: &Value| assert_eq!(&row(&format!("ROW x = {call}"))[0], expected, "{call}");
    check("LENGTH(null)", &Value::Null);
    check(r#"LENGTH(["a", "b"])"#, &Value::Null);
    check(r#"TO_INTEGER(["1", "x", "3"])"#, &Value::Many([Value::Int(1), Value::Int(3)].into()));
    check("MV_CONTAINS([1], null)", &Value::Bool(true));
    check("COALESCE(null, 2, 3)", &Value::Int(2));
    check("CASE(false, 1, null, 2, 3)", &Value::Int(3));
    check("1 IN (2, null)", &Value::Null);
    check("null AND false", &Value::Bool(false));
    check("null OR false", &Value::Null);
    check("2147483647 + 1", &Value::Null);
    check("7 / 2", &Value::Int(3));
    check("7 / 0", &Value::Null);
    check("-7 % 3", &Value::Int(-1));
}

#[test]
fn what_would_be_too_large_is_null() {
    for call in [
        r#"REPEAT("0123456789", 1000000)"#,
        "SPACE(2000000)",
        r#"REPLACE(REPEAT("a", 100000), "a", REPEAT("b", 100))"#,
        r#"REPLACE(REPEAT("a", 5000), "(a+)+(?=b)c", "")"#,
    ] {
        assert!(row(&format!("ROW x = {call}"))[0].is_null(), "{call}");
    }
}
