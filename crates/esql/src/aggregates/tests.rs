//! Examples, and the parts of a result put together.

use maxspan_diagnostics::Source;

use super::{AGGREGATES, find};
use crate::run::{Options, Tables, run};
use crate::{Value, analyze, parse};

fn check(query: &str) {
    let source = Source::new("query", query);
    let (tree, found) = parse(query);
    assert!(found.is_empty(), "{query}: {found:?}");
    let tables = Tables::default();
    let (query, found) = analyze(&tree, &source, &tables);
    let query = query.unwrap_or_else(|| panic!("{}: {found:?}", source.text));
    let rows = run(&query, &tables, &Options::default()).unwrap().rows;
    assert_eq!(rows[0][0], rows[0][1], "{}", source.text);
}

#[test]
fn examples_of_aggregates_are_true() {
    for function in AGGREGATES {
        let (call, expected) = function.example;
        check(&format!("ROW x = [1, 2, 3] | MV_EXPAND x | STATS found = {call} | EVAL wanted = {expected}"));
    }
}

#[test]
fn parts_give_what_the_whole_gives() {
    let numbers: Vec<Value> = [5, 3, 9, 3, 7, 1, 8].into_iter().map(Value::Int).collect();
    for function in AGGREGATES {
        let constants = [None, Some(Value::Int(2)), Some(Value::text("desc"))];
        let arguments = |value: &Value| -> Vec<Value> {
            let second = if function.is_constant(1) { Value::Int(2) } else { value.clone() };
            let all = [value.clone(), second, Value::text("desc")];
            all[..function.parameters.len().min(3)].to_vec()
        };
        let constants = if function.is_constant(1) { &constants[..] } else { &[] };
        let made = |values: &[Value]| {
            let mut state = function.accumulator(constants).unwrap();
            for value in values {
                state.update(&arguments(value)).unwrap();
            }
            state
        };
        let mut whole = made(&numbers);
        for cut in 0..=numbers.len() {
            let mut part = made(&numbers[..cut]);
            part.merge(made(&numbers[cut..]));
            let (found, wanted) = (part.finish().unwrap(), whole.finish().unwrap());
            let close = match (&found, &wanted) {
                (Value::Double(found), Value::Double(wanted)) => (found - wanted).abs() < 1e-9,
                _ => found == wanted,
            };
            assert!(close, "{} cut at {cut}: {found:?}, whole {wanted:?}", function.name);
            whole = made(&numbers);
        }
    }
}

#[test]
fn many_distinct_values_are_estimated() {
    let mut state = find("COUNT_DISTINCT").unwrap().accumulator(&[]).unwrap();
    for number in 0..200_000 {
        state.update(&[Value::Long(number)]).unwrap();
    }
    let Value::Long(count) = state.finish().unwrap() else { panic!("a count") };
    assert!((count - 200_000).abs() < 4_000, "{count}");
    assert!(state.bytes() < 100_000, "{}", state.bytes());
}
