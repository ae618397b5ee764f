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
fn extreme_numbers_are_no_crash() {
    const EXTREMES: [&str; 6] =
        ["-9223372036854775808", "9223372036854775807", "-2147483648", "0", "-1", "1"];
    for number in EXTREMES {
        for call in [
            "ROUND(1234, #)",
            "ROUND(12.5, #)",
            "ROUND(#, -3)",
            "ABS(#)",
            "-#",
            "# - 1",
            "# * #",
            "# / -1",
            "# % -1",
            "LEFT(\"abc\", #)",
            "RIGHT(\"abc\", #)",
            "SUBSTRING(\"abc\", #, 1)",
            "SUBSTRING(\"abc\", #)",
            "LOCATE(\"abc\", \"b\", #)",
            "MV_SLICE([1, 2, 3], #)",
            "MV_SLICE([1, 2, 3], #, #)",
            "REPEAT(\"\", #)",
            "TO_DATETIME(#)",
            "DATE_TRUNC(1 month, TO_DATETIME(#))",
            "DATE_TRUNC(7 days, TO_DATETIME(#))",
            "DATE_TRUNC(9223372036854775807 months, TO_DATETIME(#))",
            "DATE_TRUNC(3 hours, TO_DATETIME(#))",
            "TO_DATETIME(#) + 1 month",
            "TO_DATETIME(#) - 9223372036854775807 days",
            "TO_DATETIME(#) - 1 millisecond",
            "DATE_DIFF(\"month\", TO_DATETIME(#), TO_DATETIME(0))",
            "DATE_EXTRACT(\"day_of_year\", TO_DATETIME(#))",
            "DATE_FORMAT(\"yyyy-MM-dd\", TO_DATETIME(#))",
            "TO_STRING(TO_DATETIME(#))",
            "SCALB(1.5, #)",
            "POW(#, #)",
            "IP_PREFIX(TO_IP(\"192.0.2.1\"), #, #)",
            "MV_SUM([#, #])",
            "MV_MEDIAN([#, #])",
            "BUCKET(#, 0.5)",
            "TO_DATE_NANOS(#)",
            "TO_INTEGER(#)",
            "TO_UNSIGNED_LONG(#)",
            "SPACE(-#)",
            "TO_DOUBLE(#)::long",
        ] {
            row(&format!("ROW x = {}", call.replace('#', &format!("({number})"))));
        }
    }
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
