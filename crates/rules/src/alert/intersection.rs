//! What several documents have in common: the source of a sequence's shell alert (specification 3.7).

use serde_json::{Map, Value};

/// The members that all documents share; nothing for no documents.
pub(crate) fn intersection(documents: &[&Map<String, Value>]) -> Map<String, Value> {
    let Some((first, others)) = documents.split_first() else {
        return Map::new();
    };
    let mut common = (*first).clone();
    for other in others {
        common = common_members(&common, other);
    }
    common
}

fn common_members(a: &Map<String, Value>, b: &Map<String, Value>) -> Map<String, Value> {
    a.iter().filter_map(|(key, value)| Some((key.clone(), common_value(value, b.get(key)?)?))).collect()
}

/// Objects share members, lists share values, and a scalar beside a list counts as a list of one.
fn common_value(a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let common = common_members(a, b);
            (!common.is_empty()).then_some(Value::Object(common))
        }
        (Value::Array(_), _) | (_, Value::Array(_)) => Some(Value::Array(common_elements(a, b))),
        (a, b) => (a == b).then(|| a.clone()),
    }
}

/// Values in both lists, each once. Only scalars can be equal: Kibana compares objects by identity.
fn common_elements(a: &Value, b: &Value) -> Vec<Value> {
    let (a, b) = (as_list(a), as_list(b));
    let mut common: Vec<Value> = Vec::new();
    for value in a.iter().filter(|value| !value.is_object() && !value.is_array()) {
        if b.contains(value) && !common.contains(value) {
            common.push(value.clone());
        }
    }
    common
}

fn as_list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        scalar => std::slice::from_ref(scalar),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_all_have_is_kept() {
        let check = |documents: &[Value], expected: Value| {
            let documents: Vec<_> = documents.iter().map(|document| document.as_object().unwrap()).collect();
            assert_eq!(Value::Object(intersection(&documents)), expected);
        };
        check(&[json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3, "c": 4})], json!({"a": 1}));
        check(
            &[json!({"h": {"n": "x", "i": 1}}), json!({"h": {"n": "x", "i": 2}})],
            json!({"h": {"n": "x"}}),
        );
        check(&[json!({"h": {"i": 1}}), json!({"h": {"i": 2}})], json!({}));
        check(&[json!({"t": ["a", "b", "a"]}), json!({"t": ["b", "c"]})], json!({"t": ["b"]}));
        check(&[json!({"t": "a"}), json!({"t": ["b", "a"]})], json!({"t": ["a"]}));
        check(&[json!({"t": "a"}), json!({"t": ["b"]})], json!({"t": []}));
        check(&[json!({"t": [{"x": 1}]}), json!({"t": [{"x": 1}]})], json!({"t": []}));
        check(&[json!({"a": 1}), json!({"a": 1}), json!({"a": 2})], json!({}));
        check(&[json!({"a": {"b": 1}}), json!({"a": 1})], json!({}));
        check(&[json!({"a": null}), json!({"a": null})], json!({"a": null}));
        check(&[], json!({}));
    }
}
