//! Looks fields up in documents that write them nested, dotted, or mixed.

use serde_json::{Map, Value};

/// The value of a field of an object: `{"a": {"b": 1}}`, `{"a.b": 1}` and every mixture have `a.b`.
///
/// Where a document has a field twice, the longer key wins. Lists are not stepped into.
pub fn get_in<'a>(members: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    if let Some(value) = members.get(field) {
        return Some(value);
    }
    let mut end = field.len();
    while let Some(dot) = field[..end].rfind('.') {
        if let Some(Value::Object(inner)) = members.get(&field[..dot])
            && let Some(value) = get_in(inner, &field[dot + 1..])
        {
            return Some(value);
        }
        end = dot;
    }
    None
}

/// All scalars of a value: its own, or those of a list and of lists inside.
pub fn scalars(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(scalars).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
        scalar => vec![scalar],
    }
}

/// The members of a value with dotted names, each with its value: objects are stepped into, lists are not.
pub fn flattened(prefix: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                flattened(&format!("{prefix}.{key}"), value, out);
            }
        }
        other => out.push((prefix.to_owned(), other.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_however_they_are_written() {
        let check = |document: Value, field: &str, expected: Option<Value>| {
            let members = document.as_object().expect("an object");
            assert_eq!(get_in(members, field), expected.as_ref(), "{document} {field}");
        };
        check(json!({"a": {"b": {"c": 1}}}), "a.b.c", Some(json!(1)));
        check(json!({"a.b.c": 1}), "a.b.c", Some(json!(1)));
        check(json!({"a.b": {"c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"b.c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"x": 0}, "a.b": {"c": 1}}), "a.b.c", Some(json!(1)));
        check(json!({"a.b": {"x": 0}, "a": {"b": {"c": 1}}}), "a.b.c", Some(json!(1)));
        check(json!({"a": {"b": 1}, "a.b": 2}), "a.b", Some(json!(2)));
        check(json!({"a": 1}), "a.b", None);
        check(json!({"a": [{"b": 1}]}), "a.b", None);
    }
}
