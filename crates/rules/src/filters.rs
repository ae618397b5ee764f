//! Kibana filter objects: Elasticsearch query DSL beside a rule's query, lowered to predicates.
//!
//! `meta.disabled` switches a filter off, `meta.negate` turns it around. What cannot be translated is an error of the
//! rule, since leaving a filter out would change what the rule means.

use maxspan_event::wildcard::{Wildcard, fold};
use maxspan_event::{Field, Fields, Schema, Value as EventValue};
use maxspan_kql::ast::{LiteralKind, RangeOp};
use maxspan_kql::{range_test, value_test};
use maxspan_plan::{LuceneRegex, Predicate, TestKind, ValueSet};
use serde_json::{Map, Value};

/// What lowering a filter needs.
pub(crate) struct FilterContext<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) fields: &'a mut Fields,
    /// What `now` is, in nanoseconds since 1970.
    pub(crate) now: i64,
}

/// The condition that a Kibana filter stands for; an error says what cannot be translated.
pub(crate) fn lower_filter(filter: &Value, context: &mut FilterContext<'_>) -> Result<Predicate, String> {
    let meta = filter.get("meta");
    let flag = |name: &str| meta.and_then(|meta| meta.get(name)).and_then(Value::as_bool).unwrap_or(false);
    if flag("disabled") {
        return Ok(Predicate::Constant(true));
    }
    let predicate = match filter.get("query").filter(|query| !query.is_null()) {
        Some(query) => context.query(query)?,
        None => context.legacy(filter, meta)?,
    };
    Ok(if flag("negate") { predicate.negate() } else { predicate })
}

impl FilterContext<'_> {
    /// Filters of older exports have the query at the top, or only `meta`.
    fn legacy(&mut self, filter: &Value, meta: Option<&Value>) -> Result<Predicate, String> {
        let mut rest = filter.as_object().cloned().unwrap_or_default();
        rest.retain(|key, _| key != "meta" && key != "$state" && key != "query");
        if !rest.is_empty() {
            return self.query(&Value::Object(rest));
        }
        let text = |name: &str| meta.and_then(|meta| meta.get(name)).and_then(Value::as_str);
        let params = meta.and_then(|meta| meta.get("params"));
        let (Some(kind), Some(key)) = (text("type"), text("key")) else {
            return Err("a filter without a query".to_owned());
        };
        match (kind, params) {
            ("exists", _) => Ok(self.exists(key)),
            ("phrase", Some(params)) => self.phrase(key, params.get("query").unwrap_or(params)),
            ("phrases", Some(Value::Array(values))) => {
                self.any(values, |context, value| context.phrase(key, value))
            }
            ("range", Some(Value::Object(bounds))) => self.range(key, bounds),
            _ => Err(format!("a filter of type `{kind}`")),
        }
    }

    fn query(&mut self, query: &Value) -> Result<Predicate, String> {
        let Some((name, body)) = query.as_object().and_then(|map| map.iter().next()) else {
            return Err("an empty query".to_owned());
        };
        match name.as_str() {
            "match_all" => Ok(Predicate::Constant(true)),
            "match_none" => Ok(Predicate::Constant(false)),
            "bool" => self.boolean(body),
            "exists" => body
                .get("field")
                .and_then(Value::as_str)
                .map(|field| self.exists(field))
                .ok_or_else(|| missing("exists")),
            "term" | "wildcard" | "prefix" | "regexp" | "match" | "match_phrase" | "match_phrase_prefix" => {
                self.leaf(name, body)
            }
            "terms" => self.terms(body),
            "range" => match field_and_body(body) {
                Some((field, Value::Object(bounds))) => self.range(field, bounds),
                _ => Err(missing("range")),
            },
            "nested" => self.nested(body),
            "constant_score" => self.query(body.get("filter").unwrap_or(&Value::Null)),
            other => Err(format!("a query of type `{other}`")),
        }
    }

    fn boolean(&mut self, body: &Value) -> Result<Predicate, String> {
        let mut required = Vec::new();
        for key in ["must", "filter"] {
            for clause in clauses(body.get(key)) {
                required.push(self.query(clause)?);
            }
        }
        for clause in clauses(body.get("must_not")) {
            required.push(self.query(clause)?.negate());
        }
        let mut optional = Vec::new();
        for clause in clauses(body.get("should")) {
            optional.push(self.query(clause)?);
        }
        // Without `must` and `filter` at least one optional clause must hold.
        let least = match body.get("minimum_should_match") {
            None => u64::from(clauses(body.get("must")).is_empty() && clauses(body.get("filter")).is_empty()),
            Some(value) => value
                .as_u64()
                .or_else(|| value.as_str()?.parse().ok())
                .ok_or("this `minimum_should_match`")?,
        };
        match (optional.is_empty(), least) {
            (true, _) | (_, 0) => {}
            (_, 1) => required.push(Predicate::or(optional)),
            (_, least) if least == optional.len() as u64 => required.extend(optional),
            _ => return Err(format!("`minimum_should_match` {least}")),
        }
        Ok(Predicate::and(required))
    }

    fn exists(&mut self, field: &str) -> Predicate {
        let field = self.schema.field(field);
        Predicate::test(self.fields.slot(&field), TestKind::Exists)
    }

    /// `{"term": {"field": "value"}}`, or with options `{"term": {"field": {"value": …, "case_insensitive": true}}}`.
    fn leaf(&mut self, kind: &str, body: &Value) -> Result<Predicate, String> {
        let Some((name, value)) = field_and_body(body) else { return Err(missing(kind)) };
        let options = value.as_object();
        let option = |names: &[&str]| names.iter().find_map(|name| options?.get(*name));
        let given = if options.is_some() { option(&["value", "wildcard", "query"]) } else { Some(value) };
        let ignore_case = option(&["case_insensitive"]).and_then(Value::as_bool).unwrap_or(false);
        let given = given.ok_or_else(|| missing(kind))?;
        let text = scalar_text(given).ok_or_else(|| missing(kind))?;
        let field = self.schema.field(name);
        let test = match kind {
            "wildcard" => {
                TestKind::Wildcard(vec![Wildcard::with_escapes(&normalized(&field, &text), ignore_case)])
            }
            "prefix" => TestKind::Wildcard(vec![Wildcard::from_parts(
                [normalized(&field, &text).as_str(), ""],
                ignore_case,
            )]),
            "regexp" => {
                let regex = LuceneRegex::new(&text, ignore_case)
                    .map_err(|error| format!("a regular expression: {}", error.message))?;
                TestKind::Regex(vec![regex])
            }
            "match_phrase" | "match_phrase_prefix" => return self.phrase(name, given),
            "match" => return Ok(self.value(&field, &LiteralKind::Text(text))),
            _ if ignore_case => TestKind::OneOf(ValueSet::new([EventValue::text(text)], true)),
            _ => return Ok(self.value(&field, &LiteralKind::Quoted(text))),
        };
        Ok(Predicate::test(self.fields.slot(&field), test))
    }

    fn terms(&mut self, body: &Value) -> Result<Predicate, String> {
        let lists = body
            .as_object()
            .into_iter()
            .flatten()
            .find_map(|(field, value)| Some((field, value.as_array()?)));
        let Some((field, values)) = lists else { return Err(missing("terms")) };
        self.any(values, |context, value| context.phrase(field, value))
    }

    fn phrase(&mut self, name: &str, value: &Value) -> Result<Predicate, String> {
        let text = scalar_text(value).ok_or_else(|| missing("match_phrase"))?;
        let field = self.schema.field(name);
        Ok(self.value(&field, &LiteralKind::Quoted(text)))
    }

    fn any(
        &mut self,
        values: &[Value],
        mut lower: impl FnMut(&mut Self, &Value) -> Result<Predicate, String>,
    ) -> Result<Predicate, String> {
        let lowered: Result<Vec<Predicate>, String> = values.iter().map(|value| lower(self, value)).collect();
        Ok(Predicate::or(lowered?))
    }

    fn value(&mut self, field: &Field, value: &LiteralKind) -> Predicate {
        let slot = self.fields.slot(field);
        value_test(field, value, self.now)
            .map_or(Predicate::Constant(false), |test| Predicate::test(slot, test))
    }

    fn range(&mut self, name: &str, bounds: &Map<String, Value>) -> Result<Predicate, String> {
        let field = self.schema.field(name);
        let slot = self.fields.slot(&field);
        let mut tests = Vec::new();
        for (key, bound) in bounds {
            let op = match key.as_str() {
                "lt" => RangeOp::Less,
                "lte" | "to" => RangeOp::LessOrEqual,
                "gt" => RangeOp::Greater,
                "gte" | "from" => RangeOp::GreaterOrEqual,
                "format" | "time_zone" | "boost" | "relation" | "include_lower" | "include_upper" => continue,
                other => return Err(format!("a range with `{other}`")),
            };
            let Some(text) = scalar_text(bound) else { continue };
            let test = range_test(&field, op, &LiteralKind::Text(text), self.now);
            tests.push(test.map_or(Predicate::Constant(false), |test| Predicate::test(slot, test)));
        }
        Ok(Predicate::and(tests))
    }

    fn nested(&mut self, body: &Value) -> Result<Predicate, String> {
        let (Some(path), Some(query)) = (body.get("path").and_then(Value::as_str), body.get("query")) else {
            return Err(missing("nested"));
        };
        let mut inner_fields = Fields::default();
        let relative = without_prefix(query, &format!("{path}."));
        let mut inner = FilterContext { schema: self.schema, fields: &mut inner_fields, now: self.now };
        let predicate = inner.query(&relative)?;
        Ok(Predicate::Nested(self.fields.nested(path, inner_fields), Box::new(predicate)))
    }
}

/// A nested query with field names relative to its path.
fn without_prefix(query: &Value, prefix: &str) -> Value {
    let strip = |text: &str| text.strip_prefix(prefix).unwrap_or(text).to_owned();
    match query {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| match value {
                Value::String(text) if key == "field" => (key.clone(), Value::String(strip(text))),
                other => (strip(key), without_prefix(other, prefix)),
            };
            Value::Object(map.iter().map(entry).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| without_prefix(item, prefix)).collect()),
        other => other.clone(),
    }
}

fn clauses(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

/// The one field of a leaf query, without the options beside it.
fn field_and_body(body: &Value) -> Option<(&str, &Value)> {
    let mut entries =
        body.as_object()?.iter().filter(|(key, _)| key.as_str() != "boost" && key.as_str() != "_name");
    entries.next().map(|(field, value)| (field.as_str(), value))
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn normalized(field: &Field, text: &str) -> String {
    if field.lowercase { fold(text).into_owned() } else { text.to_owned() }
}

fn missing(kind: &str) -> String {
    format!("a `{kind}` query without field or value")
}

#[cfg(test)]
mod tests {
    use maxspan_event::{Decoder, Slots};
    use maxspan_plan::Environment;
    use serde_json::json;

    use super::*;

    fn holds(filter: &Value, document: &Value) -> Result<bool, String> {
        let schema = Schema::built_in();
        let mut fields = Fields::default();
        let predicate =
            lower_filter(filter, &mut FilterContext { schema: &schema, fields: &mut fields, now: 0 })?;
        let mut slots = Slots::default();
        Decoder::new(fields, schema)
            .decode(document.to_string().as_bytes(), &mut slots)
            .map_err(|error| error.to_string())?;
        Ok(predicate.holds(Environment::new(&slots)))
    }

    #[test]
    fn query_dsl_is_lowered() {
        let document = json!({"process": {"name": "cmd.exe", "pid": 7}, "file.path": "C:\\Temp\\x.dll", "message": "a quick fox"});
        let check = |filter: Value, expected: bool| {
            assert_eq!(holds(&filter, &document), Ok(expected), "{filter}");
        };
        check(json!({"query": {"term": {"process.name": "cmd.exe"}}}), true);
        check(json!({"query": {"term": {"process.name": {"value": "CMD.exe"}}}}), false);
        check(
            json!({"query": {"term": {"process.name": {"value": "CMD.exe", "case_insensitive": true}}}}),
            true,
        );
        check(
            json!({"query": {"wildcard": {"file.path": {"value": "?:\\\\temp\\\\*", "case_insensitive": true}}}}),
            true,
        );
        check(json!({"meta": {"negate": true}, "query": {"wildcard": {"file.path": "C:\\\\Temp*"}}}), false);
        check(json!({"meta": {"negate": true, "disabled": true}, "query": {"match_all": {}}}), true);
        check(json!({"query": {"terms": {"process.pid": [6, 7], "boost": 1}}}), true);
        check(json!({"query": {"range": {"process.pid": {"gte": 7, "lt": 8}}}}), true);
        check(json!({"query": {"exists": {"field": "user.name"}}}), false);
        check(json!({"exists": {"field": "process.name"}, "meta": {}}), true);
        check(json!({"query": {"match_phrase": {"message": "quick fox"}}}), true);
        check(json!({"query": {"match": {"message": {"query": "slow fox"}}}}), true);
        check(json!({"query": {"prefix": {"process.name": {"value": "cmd"}}}}), true);
        check(json!({"query": {"regexp": {"process.name": "c.d\\.exe"}}}), true);
        check(
            json!({"query": {"bool": {"should": [{"term": {"process.pid": 1}}, {"term": {"process.pid": 7}}], "minimum_should_match": 1}}}),
            true,
        );
        check(json!({"query": {"bool": {"must_not": {"term": {"process.pid": 7}}}}}), false);
        check(
            json!({"query": {"bool": {"filter": [{"match_all": {}}], "should": [{"term": {"process.pid": 1}}]}}}),
            true,
        );
        check(json!({"meta": {"type": "phrases", "key": "process.name", "params": ["a", "cmd.exe"]}}), true);
    }

    #[test]
    fn nested_queries_look_at_one_object() {
        let document = json!({"deltas": [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]});
        let both = |b: &str| json!({"query": {"nested": {"path": "deltas", "query": {"bool": {"filter": [{"term": {"deltas.a": "x"}}, {"term": {"deltas.b": b}}]}}}}});
        assert_eq!(holds(&both("1"), &document), Ok(true));
        assert_eq!(holds(&both("2"), &document), Ok(false));
    }

    #[test]
    fn what_cannot_be_translated_is_an_error() {
        for filter in [
            json!({}),
            json!({"query": {}}),
            json!({"query": {"percolate": {}}}),
            json!({"query": {"term": {}}}),
        ] {
            assert!(holds(&filter, &json!({})).is_err(), "{filter}");
        }
    }
}
