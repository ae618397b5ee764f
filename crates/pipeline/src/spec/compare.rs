//! JSON as specs compare and write it.

use serde_json::{Map, Value};

/// Whether two values say the same. Numbers are compared by value: `1` and `1.0` are one.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// The value in one line, with blanks as people write them.
pub(super) fn one_line(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Members in one line.
pub(super) fn members_line(members: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_members(members, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => write_members(members, out),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn write_members(members: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in members.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push_str(": ");
        write(value, out);
    }
    out.push('}');
}

/// Which expected and actual items belong together: a longest common subsequence by `same`, as pairs of indices in
/// order. Beyond `max` items on either side, by place.
pub(super) fn aligned(
    expected: usize,
    actual: usize,
    max: usize,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let common = expected.min(actual);
    let head = (0..common).take_while(|at| same(*at, *at)).count();
    let mut pairs: Vec<_> = (0..head).map(|at| (at, at)).collect();
    if expected > max || actual > max {
        pairs.extend((head..common).filter(|at| same(*at, *at)).map(|at| (at, at)));
        return pairs;
    }
    let (rows, columns) = (expected - head, actual - head);
    let at = |row: usize, column: usize| row * (columns + 1) + column;
    let mut longest = vec![0_u32; (rows + 1) * (columns + 1)];
    let mut equal = vec![false; rows * columns.max(1)];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let is_same = same(head + row, head + column);
            equal[row * columns + column] = is_same;
            longest[at(row, column)] = if is_same {
                longest[at(row + 1, column + 1)] + 1
            } else {
                longest[at(row + 1, column)].max(longest[at(row, column + 1)])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if equal[row * columns + column] {
            pairs.push((head + row, head + column));
            (row, column) = (row + 1, column + 1);
        } else if longest[at(row + 1, column)] >= longest[at(row, column + 1)] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_with_blanks() {
        let value = json!({"a": [1, "x\"y", null], "b": {"c": true}, "d": {}});
        assert_eq!(one_line(&value), r#"{"a": [1, "x\"y", null], "b": {"c": true}, "d": {}}"#);
    }

    #[test]
    fn what_is_common_is_aligned() {
        let check = |expected: &str, actual: &str, max: usize, pairs: &[(usize, usize)]| {
            let (a, b) = (expected.as_bytes(), actual.as_bytes());
            assert_eq!(aligned(a.len(), b.len(), max, |i, j| a[i] == b[j]), pairs, "{expected} {actual}");
        };
        check("", "", 9, &[]);
        check("abc", "abc", 9, &[(0, 0), (1, 1), (2, 2)]);
        check("abcd", "acd", 9, &[(0, 0), (2, 1), (3, 2)]);
        check("acd", "abcd", 9, &[(0, 0), (1, 2), (2, 3)]);
        check("ab", "cd", 9, &[]);
        check("a", "", 9, &[]);
        check("axb", "ayb", 1, &[(0, 0), (2, 2)]);
    }
}
