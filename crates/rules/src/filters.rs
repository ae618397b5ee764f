//! Kibana filter objects: Elasticsearch query DSL beside a rule's query, lowered to predicates.
//!
//! `meta.disabled` switches a filter off, `meta.negate` turns it around, `meta.type` `combined` joins filters. What is
//! not understood to the last option is an error of the rule: leaving it out would change what the rule means.

mod leaf;
mod range;
#[cfg(test)]
mod tests;

use maxspan_event::{Field, Fields, Schema};
use maxspan_plan::{Leaves, Predicate, RegexBudget, TestKind};
use serde_json::{Map, Value};

/// Most clauses of a `bool` whose `minimum_should_match` is neither one nor all of them.
const COUNTED_CLAUSES_MAX: usize = 6;

/// What lowering a filter needs.
pub(crate) struct FilterContext<'a> {
    schema: &'a Schema,
    fields: &'a mut Fields,
    /// What `now` is, in nanoseconds since 1970.
    now: i64,
    /// The path of the nested query that is being lowered, with a dot at its end; empty outside.
    prefix: String,
    /// What the regular expressions of all filters may cost.
    regexes: RegexBudget,
}

/// The condition that a Kibana filter stands for; an error says what cannot be translated.
pub(crate) fn lower_filter(filter: &Value, context: &mut FilterContext<'_>) -> Result<Predicate, String> {
    let filter = object(filter, "a filter")?;
    let meta = match filter.get("meta") {
        None | Some(Value::Null) => None,
        Some(meta) => Some(object(meta, "`meta`")?),
    };
    if flag(meta, "disabled")? {
        return Ok(Predicate::Constant(true));
    }
    let combined = meta.and_then(|meta| meta.get("type")).and_then(Value::as_str) == Some("combined");
    let rest: Vec<_> = filter
        .iter()
        .filter(|(key, value)| !matches!(key.as_str(), "meta" | "$state") && !value.is_null())
        .collect();
    let predicate = match (meta, rest.as_slice()) {
        (Some(meta), _) if combined => context.combined(meta, &rest)?,
        (_, [(key, query)]) if key.as_str() == "query" => context.query(query)?,
        // Older exports have the query at the top.
        (_, [(name, body)]) => context.named_query(name, body)?,
        (Some(meta), []) => context.described(meta)?,
        (None, []) => return Err("a filter without a query".to_owned()),
        (_, [(first, _), (second, _), ..]) => {
            return Err(format!("a filter with both `{first}` and `{second}`"));
        }
    };
    Ok(if flag(meta, "negate")? { predicate.negate() } else { predicate })
}

impl<'a> FilterContext<'a> {
    pub(crate) fn new(schema: &'a Schema, fields: &'a mut Fields, now: i64) -> Self {
        Self { schema, fields, now, prefix: String::new(), regexes: RegexBudget::default() }
    }

    /// Kibana's joined filters: `params` holds filters, `relation` says how they hold together.
    fn combined(
        &mut self,
        meta: &Map<String, Value>,
        rest: &[(&String, &Value)],
    ) -> Result<Predicate, String> {
        // The query beside it is empty; Kibana makes it of the parts.
        let has_query = |(key, value): &(&String, &Value)| {
            key.as_str() != "query" || value.as_object().is_none_or(|query| !query.is_empty())
        };
        if rest.iter().any(has_query) {
            return Err("a combined filter with a query of its own".to_owned());
        }
        let Some(Value::Array(filters)) = meta.get("params") else {
            return Err("a combined filter without a list of filters".to_owned());
        };
        let mut parts = Vec::new();
        for filter in filters {
            let inner = object(filter, "a filter")?.get("meta").and_then(Value::as_object);
            if !flag(inner, "disabled")? {
                parts.push(lower_filter(filter, self)?);
            }
        }
        match meta.get("relation").and_then(Value::as_str) {
            _ if filters.is_empty() => Err("a combined filter without filters".to_owned()),
            Some("AND" | "OR") if parts.is_empty() => Ok(Predicate::Constant(true)),
            Some("AND") => Ok(Predicate::and(parts)),
            Some("OR") => Ok(Predicate::or(parts)),
            _ => Err("a combined filter whose `relation` is neither `AND` nor `OR`".to_owned()),
        }
    }

    /// A filter that has only `meta`: type, field and parameters.
    fn described(&mut self, meta: &Map<String, Value>) -> Result<Predicate, String> {
        let text = |name: &str| meta.get(name).and_then(Value::as_str);
        let (Some(kind), Some(key)) = (text("type"), text("key")) else {
            return Err("a filter without a query".to_owned());
        };
        match (kind, meta.get("params")) {
            ("exists", _) => self.exists(key),
            ("phrase", Some(params)) => self.leaf("match_phrase", key, params),
            ("phrases", Some(Value::Array(values))) => {
                let any: Result<Vec<_>, _> =
                    values.iter().map(|value| self.leaf("match_phrase", key, value)).collect();
                Ok(Predicate::or(any?))
            }
            ("range", Some(Value::Object(bounds))) => self.range(key, bounds),
            _ => Err(format!("a filter of type `{kind}`")),
        }
    }

    fn query(&mut self, query: &Value) -> Result<Predicate, String> {
        let mut entries = object(query, "a query")?.iter();
        match (entries.next(), entries.next()) {
            (None, _) => Err("an empty query".to_owned()),
            (Some((name, body)), None) => self.named_query(name, body),
            (Some((first, _)), Some((second, _))) => {
                Err(format!("a query that is both `{first}` and `{second}`"))
            }
        }
    }

    fn named_query(&mut self, name: &str, body: &Value) -> Result<Predicate, String> {
        let body = object(body, &format!("the body of `{name}`"))?;
        match name {
            "match_all" => only(name, body, &[]).map(|()| Predicate::Constant(true)),
            "match_none" => only(name, body, &[]).map(|()| Predicate::Constant(false)),
            "bool" => self.boolean(body),
            "exists" => {
                only(name, body, &["field"])?;
                let field = body.get("field").and_then(Value::as_str);
                self.exists(field.ok_or("an `exists` query without a field")?)
            }
            "term" | "wildcard" | "prefix" | "regexp" | "match" | "match_phrase" | "match_phrase_prefix" => {
                let (field, value) = one_field(name, body)?;
                self.leaf(name, field, value)
            }
            "terms" => match one_field(name, body)? {
                (field, Value::Array(values)) => {
                    let any: Result<Vec<_>, _> = values.iter().map(|value| self.term(field, value)).collect();
                    Ok(Predicate::or(any?))
                }
                _ => Err("a `terms` query without a list of values".to_owned()),
            },
            "range" => match one_field(name, body)? {
                (field, Value::Object(bounds)) => self.range(field, bounds),
                _ => Err("a `range` query without bounds".to_owned()),
            },
            "nested" => self.nested(body),
            "constant_score" => {
                only(name, body, &["filter"])?;
                self.query(body.get("filter").ok_or("a `constant_score` query without a filter")?)
            }
            other => Err(format!("a query of type `{other}`")),
        }
    }

    fn boolean(&mut self, body: &Map<String, Value>) -> Result<Predicate, String> {
        only("bool", body, &["must", "filter", "should", "must_not", "minimum_should_match"])?;
        let mut required = self.clauses(body, "must")?;
        required.extend(self.clauses(body, "filter")?);
        // Without `must` and `filter` at least one optional clause must hold, whatever is written.
        let own_least = usize::from(required.is_empty());
        let refused = self.clauses(body, "must_not")?;
        required.extend(refused.into_iter().map(Predicate::negate));
        let optional = self.clauses(body, "should")?;
        let least = match body.get("minimum_should_match") {
            None => own_least,
            Some(value) => least_clauses(value, optional.len())?.max(own_least),
        };
        if !optional.is_empty() {
            required.push(at_least(least, optional)?);
        }
        Ok(Predicate::and(required))
    }

    /// One clause, or a list of them.
    fn clauses(&mut self, body: &Map<String, Value>, name: &str) -> Result<Vec<Predicate>, String> {
        match body.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(clauses)) => clauses.iter().map(|clause| self.query(clause)).collect(),
            Some(clause) => Ok(vec![self.query(clause)?]),
        }
    }

    fn exists(&mut self, name: &str) -> Result<Predicate, String> {
        if self.schema.is_object(name) {
            self.fields.want_leaves();
            return Ok(Predicate::Leaves(Box::new(Leaves::below(name))));
        }
        let field = self.field(name)?;
        Ok(Predicate::test(self.fields.slot(&field), TestKind::Exists))
    }

    /// The field of a name; inside a nested query its values stand relative to the nested path.
    fn field(&self, name: &str) -> Result<Field, String> {
        let mut field = self.schema.field(name);
        match field.path.strip_prefix(&self.prefix) {
            Some(path) => field.path = path.to_owned(),
            None => return Err(format!("`{name}`, which is not below the nested path")),
        }
        Ok(field)
    }

    fn nested(&mut self, body: &Map<String, Value>) -> Result<Predicate, String> {
        only("nested", body, &["path", "query", "score_mode", "ignore_unmapped"])?;
        let (Some(path), Some(query)) = (body.get("path").and_then(Value::as_str), body.get("query")) else {
            return Err("a `nested` query without path or query".to_owned());
        };
        let relative = path
            .strip_prefix(&self.prefix)
            .ok_or_else(|| format!("`{path}`, which is not below the nested path around it"))?;
        let mut inner_fields = Fields::default();
        let mut inner = FilterContext {
            schema: self.schema,
            fields: &mut inner_fields,
            now: self.now,
            prefix: format!("{path}."),
            regexes: std::mem::take(&mut self.regexes),
        };
        let predicate = inner.query(query);
        self.regexes = inner.regexes;
        let predicate = predicate?;
        Ok(Predicate::Nested(self.fields.nested(relative, inner_fields), Box::new(predicate)))
    }
}

/// How many optional clauses must hold: a number, less than all by a number, or a percentage of either kind.
fn least_clauses(value: &Value, clauses: usize) -> Result<usize, String> {
    let unknown = || format!("`minimum_should_match` {value}");
    let all = i64::try_from(clauses).map_err(|_| unknown())?;
    let written = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(unknown()),
    };
    let amount = match written.strip_suffix('%') {
        Some(percent) => percent
            .parse::<i64>()
            .ok()
            .filter(|percent| (-100..=100).contains(percent))
            .map(|percent| all * percent / 100),
        None => written.parse().ok(),
    };
    let amount = amount.ok_or_else(unknown)?;
    // A percentage is rounded towards zero before it is taken away: `-20%` of four are none.
    let least = if written.starts_with('-') { all.saturating_add(amount) } else { amount };
    Ok(usize::try_from(least.max(0)).unwrap_or(usize::MAX))
}

/// At least so many of the predicates. There is no predicate that counts: every choice of that many is spelled out.
fn at_least(least: usize, optional: Vec<Predicate>) -> Result<Predicate, String> {
    match least {
        0 => Ok(Predicate::Constant(true)),
        1 => Ok(Predicate::or(optional)),
        _ if least > optional.len() => Ok(Predicate::Constant(false)),
        _ if least == optional.len() => Ok(Predicate::and(optional)),
        _ if optional.len() > COUNTED_CLAUSES_MAX => {
            Err(format!("`minimum_should_match` {least} of {} clauses", optional.len()))
        }
        _ => {
            let choices = (0_u32..1 << optional.len()).filter(|choice| choice.count_ones() as usize == least);
            Ok(Predicate::or(choices.map(|choice| {
                let chosen = optional.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1);
                Predicate::and(chosen.map(|(_, predicate)| predicate.clone()))
            })))
        }
    }
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} that is no object"))
}

fn flag(meta: Option<&Map<String, Value>>, name: &str) -> Result<bool, String> {
    match meta.and_then(|meta| meta.get(name)) {
        None | Some(Value::Null) => Ok(false),
        Some(value) => {
            value.as_bool().ok_or_else(|| format!("a filter whose `{name}` is neither true nor false"))
        }
    }
}

/// Options that change only scores and names of a query.
fn is_harmless(option: &str) -> bool {
    matches!(option, "boost" | "_name")
}

/// Whether the body has nothing but these options.
fn only(kind: &str, body: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match body.keys().find(|key| !known.contains(&key.as_str()) && !is_harmless(key)) {
        Some(unknown) => Err(format!("a `{kind}` query with `{unknown}`")),
        None => Ok(()),
    }
}

/// The one field of a leaf query.
fn one_field<'v>(kind: &str, body: &'v Map<String, Value>) -> Result<(&'v str, &'v Value), String> {
    let mut entries = body.iter().filter(|(key, _)| !is_harmless(key));
    match (entries.next(), entries.next()) {
        (Some((field, value)), None) => Ok((field, value)),
        (None, _) => Err(format!("a `{kind}` query without a field")),
        (Some(_), Some((second, _))) => Err(format!("a `{kind}` query with a second field, `{second}`")),
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn cannot_hold(field: &Field, text: &str) -> String {
    format!("`{text}`, which `{}` of type `{}` cannot hold", field.name, field.kind.name())
}
