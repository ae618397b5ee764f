//! From the API's JSON shape to a [`RuleDocument`]: types, defaults and constraints (specification 1.1, 1.2).
//!
//! Both formats end here: TOML is brought into the API's shape first. Gives a document only when nothing is wrong.

mod params;

use std::sync::Arc;

use maxspan_diagnostics::{Diagnostic, Source, Span, codes, has_errors, nearest_names};
use serde_json::{Map, Value};

use self::params::read_params;
use crate::document::{
    AlertSuppression, Language, MAX_SIGNALS_DEFAULT, MissingFieldsStrategy, Origin, RuleDocument,
    RuleSeverity, RuleType, TomlMetadata,
};
use crate::field_reader::{FieldCodes, FieldReader, Places};
use crate::json_places::Step;
use crate::schedule::{DateMath, FROM_DEFAULT, INTERVAL_DEFAULT, Schedule, TO_DEFAULT};

const CODES: FieldCodes = FieldCodes {
    missing: codes::RULE_FIELD_MISSING,
    invalid: codes::RULE_FIELD_INVALID,
    unknown: codes::RULE_FIELD_UNKNOWN,
};

/// Fields of responses, of the repository's tools, or without any effect: known, not kept.
const WITHOUT_EFFECT: [&str; 6] =
    ["output_index", "execution_summary", "outcome", "alias_target_id", "alias_purpose", "threat_mappings"];

/// Fields of the API that only some rule types have.
const TYPE_FIELDS: [&str; 22] = [
    "query",
    "language",
    "index",
    "data_view_id",
    "filters",
    "saved_id",
    "alert_suppression",
    "event_category_override",
    "tiebreaker_field",
    "timestamp_field",
    "threshold",
    "new_terms_fields",
    "history_window_start",
    "threat_index",
    "threat_mapping",
    "threat_query",
    "threat_language",
    "threat_filters",
    "threat_indicator_path",
    "concurrent_searches",
    "items_per_search",
    "anomaly_threshold",
];

/// Which rules of writing hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Elastic's rule repository.
    Toml,
    /// Kibana's API and exports.
    Api,
}

/// A rule before it is read: fields in the API's shape, and where it is.
pub(crate) struct RawRule<'a> {
    pub(crate) fields: Map<String, Value>,
    pub(crate) places: &'a dyn Places,
    pub(crate) dialect: Dialect,
    pub(crate) source: &'a Arc<Source>,
    pub(crate) span: Span,
    pub(crate) field_spans: Vec<(String, Span)>,
    pub(crate) metadata: Option<TomlMetadata>,
}

/// Reads one rule.
pub(crate) fn read_rule(raw: RawRule<'_>) -> (Option<RuleDocument>, Vec<Diagnostic>) {
    let origin = origin_of(&raw);
    let rule_id = raw.fields.get("rule_id").and_then(Value::as_str).map(str::to_owned);
    let mut reader = FieldReader::new(raw.fields, raw.places, CODES);
    let Some(rule_type) = read_type(&mut reader) else {
        return (None, about(reader.give_up(), rule_id.as_deref()));
    };
    let document = read_document(&mut reader, rule_type, raw.dialect, origin);
    reader.ignore(codes::RULE_IGNORED, &TYPE_FIELDS, &format!("`{rule_type}` rules have none"));
    reader.ignore(
        codes::RULE_IGNORED,
        &["machine_learning_job_id"],
        &format!("`{rule_type}` rules have none"),
    );
    let rule_id = document.as_ref().map(|document| document.rule_id.clone()).or(rule_id);
    let diagnostics = about(reader.finish(), rule_id.as_deref());
    (document.filter(|_| !has_errors(&diagnostics)), diagnostics)
}

fn about(diagnostics: Vec<Diagnostic>, rule_id: Option<&str>) -> Vec<Diagnostic> {
    let Some(rule_id) = rule_id else { return diagnostics };
    diagnostics.into_iter().map(|diagnostic| diagnostic.about_rule(rule_id)).collect()
}

fn read_type(reader: &mut FieldReader<'_>) -> Option<RuleType> {
    let name = reader.required("type").then(|| reader.text("type")).flatten()?;
    let rule_type = RuleType::from_name(&name);
    if rule_type.is_none() {
        reader.report(codes::RULE_TYPE_UNKNOWN, &[Step::Key("type")], format!("unknown rule type `{name}`"));
        let names = RuleType::ALL.map(RuleType::name);
        let help = match nearest_names(&name, names).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("rule types are {}", names.join(", ")),
        };
        reader.help(help);
    }
    rule_type
}

/// All fields in turn; gives nothing where a part without a stand-in is missing.
#[expect(clippy::too_many_lines, reason = "one flat list of fields")]
fn read_document(
    reader: &mut FieldReader<'_>,
    rule_type: RuleType,
    dialect: Dialect,
    origin: Origin,
) -> Option<RuleDocument> {
    let (rule_id, uuid) = read_ids(reader, dialect);
    let name = reader.required_text("name");
    let description = reader.required_text("description");
    let severity = read_severity(reader);
    let risk_score = reader.required("risk_score").then(|| reader.integer("risk_score", 0..=100)).flatten();
    let (language, query) = read_query(reader, rule_type, dialect);
    let has_events = !matches!(rule_type, RuleType::Esql | RuleType::MachineLearning);
    let index = if has_events { reader.texts("index") } else { Vec::new() };
    let data_view_id = if has_events { read_data_view(reader, dialect, &index) } else { None };
    let filters = if has_events { read_filters(reader, "filters") } else { Vec::new() };
    let alert_suppression = read_suppression(reader, rule_type);
    let schedule = read_schedule(reader);
    let params = read_params(reader, rule_type, schedule.as_ref());
    let (note, setup) = (read_guide(reader, "note"), read_guide(reader, "setup"));
    Some(RuleDocument {
        rule_id,
        uuid,
        name,
        description,
        language,
        query,
        index,
        data_view_id,
        filters,
        alert_suppression,
        note,
        setup: setup.unwrap_or_default(),
        max_signals: read_max_signals(reader),
        enabled: reader.flag("enabled").unwrap_or(true),
        exceptions_list: reader.parts("exceptions_list"),
        threat: reader.parts("threat"),
        tags: reader.texts("tags"),
        author: reader.texts("author"),
        license: reader.text("license"),
        references: reader.texts("references"),
        false_positives: reader.texts("false_positives"),
        timestamp_override: non_empty(reader.text("timestamp_override")),
        timestamp_override_fallback_disabled: reader
            .flag("timestamp_override_fallback_disabled")
            .unwrap_or(false),
        severity_mapping: reader.parts("severity_mapping"),
        risk_score_mapping: reader.parts("risk_score_mapping"),
        rule_name_override: non_empty(reader.text("rule_name_override")),
        building_block_type: read_building_block(reader),
        investigation_fields: reader.part("investigation_fields"),
        timeline_id: reader.text("timeline_id"),
        timeline_title: reader.text("timeline_title"),
        version: reader.integer("version", 1..=u64::MAX).unwrap_or(1),
        revision: reader.integer("revision", 0..=u64::MAX).unwrap_or(0),
        meta: reader.object("meta"),
        actions: reader.values("actions"),
        response_actions: reader.values("response_actions"),
        related_integrations: reader.values("related_integrations"),
        required_fields: reader.values("required_fields"),
        throttle: reader.text("throttle"),
        namespace: reader.text("namespace"),
        immutable: reader.flag("immutable").unwrap_or(false),
        rule_source: reader.value("rule_source"),
        created_at: reader.text("created_at"),
        created_by: reader.text("created_by"),
        updated_at: reader.text("updated_at"),
        updated_by: reader.text("updated_by"),
        params: {
            reader.pass_over(&WITHOUT_EFFECT);
            params?
        },
        severity: severity?,
        risk_score: u8::try_from(risk_score?).ok()?,
        schedule: schedule?,
        origin,
    })
}

/// `rule_id` and the saved object's id; each stands in for the other (specification 9.6).
fn read_ids(reader: &mut FieldReader<'_>, dialect: Dialect) -> (String, String) {
    let uuid = non_empty(reader.text("id"));
    if let (Some(uuid), false) = (&uuid, reader.has("rule_id")) {
        return (uuid.clone(), uuid.clone());
    }
    let rule_id = reader.required_text("rule_id");
    if dialect == Dialect::Toml && !rule_id.is_empty() && !is_lower_uuid(&rule_id) {
        let message =
            format!("`{rule_id}` is not a UUID in lower case, which Elastic's rule repository asks for");
        reader.report(codes::RULE_FIELD_UNUSUAL, &[Step::Key("rule_id")], message);
    }
    let uuid = uuid.unwrap_or_else(|| rule_id.clone());
    (rule_id, uuid)
}

fn is_lower_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn read_severity(reader: &mut FieldReader<'_>) -> Option<RuleSeverity> {
    let name = reader.required("severity").then(|| reader.text("severity")).flatten()?;
    let severity = RuleSeverity::from_name(&name);
    if severity.is_none() {
        reader.invalid::<()>("severity", &format!("must be low, medium, high or critical, not `{name}`"));
    }
    severity
}

fn read_query(
    reader: &mut FieldReader<'_>,
    rule_type: RuleType,
    dialect: Dialect,
) -> (Option<Language>, String) {
    let languages = rule_type.languages();
    if languages.is_empty() {
        return (None, String::new());
    }
    // EQL and ES|QL rules must say so; the others mean KQL where they say nothing.
    let must_name_language = matches!(rule_type, RuleType::Eql | RuleType::Esql);
    let language = if must_name_language && !reader.required("language") {
        None
    } else {
        read_language(reader, "language", languages).or(Some(Language::Kuery))
    };
    let may_lack_query = match rule_type {
        RuleType::Query => dialect == Dialect::Api || reader.has("filters"),
        RuleType::SavedQuery => true,
        _ => false,
    };
    let there = may_lack_query || reader.required("query");
    let query = if there { reader.text("query").unwrap_or_default() } else { String::new() };
    if there && !may_lack_query && query.trim().is_empty() && must_name_language {
        reader.invalid::<()>("query", "must not be empty");
    }
    (language, query)
}

fn read_language(
    reader: &mut FieldReader<'_>,
    field: &'static str,
    allowed: &[Language],
) -> Option<Language> {
    let name = reader.text(field)?;
    let language = Language::from_name(&name).filter(|language| allowed.contains(language));
    if language.is_none() {
        let names: Vec<_> = allowed.iter().map(|language| language.name()).collect();
        let message = format!("`{field}` must be {} for this rule type, not `{name}`", names.join(" or "));
        reader.report(codes::RULE_LANGUAGE, &[Step::Key(field)], message);
    }
    language
}

fn read_data_view(reader: &mut FieldReader<'_>, dialect: Dialect, index: &[String]) -> Option<String> {
    let data_view_id = non_empty(reader.text("data_view_id"));
    if data_view_id.is_some() && !index.is_empty() && dialect == Dialect::Toml {
        reader.invalid::<()>("data_view_id", "and `index` exclude each other");
    }
    data_view_id
}

fn read_filters(reader: &mut FieldReader<'_>, field: &'static str) -> Vec<Value> {
    let filters = reader.values(field);
    for (position, filter) in filters.iter().enumerate() {
        if !filter.is_object() {
            let path = [Step::Key(field), Step::Index(position)];
            reader.report(CODES.invalid, &path, format!("`{field}` must hold objects"));
        }
    }
    filters
}

/// Suppression: threshold rules keep only the duration (specification 1.2).
fn read_suppression(reader: &mut FieldReader<'_>, rule_type: RuleType) -> Option<AlertSuppression> {
    let mut suppression: AlertSuppression = reader.part("alert_suppression")?;
    if rule_type == RuleType::Threshold {
        suppression.group_by.clear();
        suppression.missing_fields_strategy = None;
        if suppression.duration.is_none() {
            return reader.invalid("alert_suppression", "of a threshold rule must have a `duration`");
        }
    } else {
        suppression.missing_fields_strategy.get_or_insert(MissingFieldsStrategy::default());
        if !(1..=3).contains(&suppression.group_by.len()) {
            return reader.invalid("alert_suppression", "must have one to three fields in `group_by`");
        }
    }
    if suppression.duration.is_some_and(|duration| duration.value == 0) {
        return reader.invalid("alert_suppression", "must have a duration of at least 1");
    }
    Some(suppression)
}

/// The three texts; each that cannot be read gives its own message.
fn read_schedule(reader: &mut FieldReader<'_>) -> Option<Schedule> {
    let mut read = |name: &'static str, default: &str| {
        let text = reader.text(name).unwrap_or_else(|| default.to_owned());
        let error = match name {
            "interval" => crate::schedule::parse_interval(&text).err(),
            _ => DateMath::parse(&text).err(),
        };
        if let Some(error) = error {
            reader.report(codes::RULE_SCHEDULE, &[Step::Key(name)], format!("`{name}`: {error}"));
        }
        text
    };
    let (interval, from, to) =
        (read("interval", INTERVAL_DEFAULT), read("from", FROM_DEFAULT), read("to", TO_DEFAULT));
    Schedule::parse(&interval, &from, &to).ok()
}

fn read_max_signals(reader: &mut FieldReader<'_>) -> u32 {
    let number = reader.integer("max_signals", 1..=u64::from(u32::MAX));
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(MAX_SIGNALS_DEFAULT)
}

fn read_building_block(reader: &mut FieldReader<'_>) -> Option<String> {
    let text = reader.text("building_block_type")?;
    if text != "default" {
        return reader.invalid("building_block_type", &format!("must be `default`, not `{text}`"));
    }
    Some(text)
}

/// `note` and `setup`: some exports have the word `None` for an absent one (specification 8.1).
fn read_guide(reader: &mut FieldReader<'_>, name: &'static str) -> Option<String> {
    non_empty(reader.text(name)).filter(|text| text != "None")
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn origin_of(raw: &RawRule<'_>) -> Origin {
    let written = raw.field_spans.iter().find(|(name, _)| name == "query").map(|(_, span)| *span);
    let query = raw.fields.get("query").and_then(Value::as_str);
    let (query_span, query_verbatim) = match written.zip(query) {
        Some((span, query)) => {
            let inside = without_quotes(&raw.source.text, span);
            (Some(inside), inside.slice(&raw.source.text) == query)
        }
        None => (None, false),
    };
    Origin {
        source: Arc::clone(raw.source),
        span: raw.span,
        query_span,
        query_verbatim,
        field_spans: raw.field_spans.clone(),
        metadata: raw.metadata.clone(),
    }
}

/// The inside of a string literal of TOML or JSON.
fn without_quotes(text: &str, literal: Span) -> Span {
    let written = literal.slice(text);
    for quotes in ["'''", "\"\"\"", "'", "\""] {
        if written.len() >= 2 * quotes.len() && written.starts_with(quotes) && written.ends_with(quotes) {
            let mut start = literal.start + quotes.len();
            let end = literal.end - quotes.len();
            if quotes.len() == 3 {
                // TOML drops a line break right after the opening quotes.
                let inside = &text[start..end];
                let line_break = ["\r\n", "\n"].into_iter().find(|line_break| inside.starts_with(line_break));
                start += line_break.map_or(0, str::len);
            }
            return Span::new(start, end);
        }
    }
    literal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use maxspan_diagnostics::Report;
    use serde_json::json;

    use super::*;
    use crate::document::{MachineLearningParams, RuleParams, Threshold, ThresholdParams};
    use crate::kibana_rules::parse_json;
    use crate::parsed_file::ParsedFile;

    /// A rule of a type with what that type needs, and `changes` over it; null takes a field away.
    fn read(rule_type: &str, changes: Value) -> (Arc<Source>, ParsedFile) {
        let mut rule =
            json!({"rule_id": "r1", "name": "N", "description": "D", "severity": "low", "risk_score": 21});
        rule["type"] = json!(rule_type);
        let needed = match rule_type {
            "eql" => json!({"language": "eql", "query": "any where true"}),
            "esql" => json!({"language": "esql", "query": "from x"}),
            "threshold" => json!({"query": "a:1", "threshold": {"field": ["a"], "value": 2}}),
            "new_terms" => {
                json!({"query": "a:1", "new_terms_fields": ["a"], "history_window_start": "now-7d"})
            }
            "threat_match" => {
                json!({"query": "a:1", "threat_query": "*:*", "threat_index": ["ti"], "threat_mapping":
                [{"entries": [{"field": "a", "type": "mapping", "value": "b"}]}]})
            }
            "machine_learning" => json!({"anomaly_threshold": 50, "machine_learning_job_id": "j"}),
            "saved_query" => json!({"saved_id": "s"}),
            _ => json!({}),
        };
        for part in [needed, changes] {
            rule.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        let source = Arc::new(Source::new("rule.json", serde_json::to_string_pretty(&rule).unwrap()));
        let file = parse_json(&source);
        (source, file)
    }

    fn rule(rule_type: &str, changes: Value) -> RuleDocument {
        let (_, mut file) = read(rule_type, changes);
        assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
        file.rules.remove(0)
    }

    #[test]
    fn defaults_are_those_of_kibana() {
        let rule = rule("query", json!({}));
        assert_eq!((rule.uuid.as_str(), rule.version, rule.revision, rule.enabled), ("r1", 1, 0, true));
        assert_eq!(rule.schedule, Schedule::default());
        assert_eq!((rule.language, rule.query.as_str(), rule.max_signals), (Some(Language::Kuery), "", 100));
        assert_eq!((rule.index.len(), rule.index_patterns().len()), (0, 9));
        assert_eq!((rule.setup.as_str(), rule.note), ("", None));
    }

    #[test]
    fn each_type_has_its_parameters() {
        let check = |rule_type: &str, changes: Value, expected: RuleParams| {
            assert_eq!(rule(rule_type, changes).params, expected);
        };
        let threshold = |field: &[&str], value| Threshold {
            field: field.iter().map(|name| (*name).to_owned()).collect(),
            value,
            cardinality: Vec::new(),
        };
        let thresholds = |threshold| RuleParams::Threshold(ThresholdParams { threshold, saved_id: None });
        check("query", json!({"saved_id": ""}), RuleParams::Query { saved_id: None });
        check("saved_query", json!({}), RuleParams::SavedQuery { saved_id: "s".into() });
        check("esql", json!({}), RuleParams::Esql);
        check(
            "threshold",
            json!({"threshold": {"field": "a", "value": 1}}),
            thresholds(threshold(&["a"], 1)),
        );
        check("threshold", json!({"threshold": {"field": "", "value": 1}}), thresholds(threshold(&[], 1)));
        check(
            "eql",
            json!({"event_category_override": "event.type", "tiebreaker_field": ""}),
            RuleParams::Eql {
                event_category_override: Some("event.type".into()),
                tiebreaker_field: None,
                timestamp_field: None,
            },
        );
        check(
            "machine_learning",
            json!({}),
            RuleParams::MachineLearning(MachineLearningParams {
                anomaly_threshold: 50,
                machine_learning_job_id: vec!["j".into()],
            }),
        );
    }

    /// Code, message and the first line of the text that is meant, for each message.
    #[track_caller]
    fn check(rule_type: &str, changes: Value, expected: &str) {
        let (source, file) = read(rule_type, changes.clone());
        let found: Vec<_> = file
            .diagnostics
            .iter()
            .map(|diagnostic| {
                let report = Report::new(&source, diagnostic);
                let place = diagnostic.span.slice(&source.text).lines().next().unwrap_or("").to_owned();
                format!("{} {} @ {place}", report.name, diagnostic.message)
            })
            .collect();
        assert_eq!(found.join("\n"), expected, "{changes}");
        assert_eq!(file.rules.is_empty(), has_errors(&file.diagnostics), "{changes}");
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one list of cases")]
    fn common_fields_that_do_not_fit_are_reported_where_they_are() {
        check("query", json!({"name": null}), "rule-field-missing `name` is missing @ null");
        check(
            "query",
            json!({"severity": "grave"}),
            "rule-field-invalid `severity` must be low, medium, high or critical, not `grave` @ \"grave\"",
        );
        check(
            "query",
            json!({"risk_score": 101}),
            "rule-field-invalid `risk_score` must be a whole number from 0 to 100, not 101 @ 101",
        );
        check(
            "query",
            json!({"risk_score": "47"}),
            "rule-field-invalid `risk_score` must be a whole number from 0 to 100, not a text @ \"47\"",
        );
        check(
            "query",
            json!({"max_signals": 0}),
            "rule-field-invalid `max_signals` must be a whole number from 1 to 4294967295, not 0 @ 0",
        );
        check(
            "query",
            json!({"tags": ["a", 1]}),
            "rule-field-invalid `tags` must hold texts, not a number @ 1",
        );
        check(
            "query",
            json!({"interval": "5 m", "from": "yesterday"}),
            "rule-schedule `interval`: `5 m` is not an interval like `5m` (units s, m, h, d) @ \"5 m\"\n\
             rule-schedule `from`: `yesterday` is not date math like `now-9m` @ \"yesterday\"",
        );
        check(
            "query",
            json!({"langauge": "kuery"}),
            "rule-field-unknown unknown field `langauge` @ \"langauge\"",
        );
        check(
            "query",
            json!({"language": "eql"}),
            "rule-language `language` must be kuery or lucene for this rule type, not `eql` @ \"eql\"",
        );
        check("eql", json!({"language": null}), "rule-field-missing `language` is missing @ null");
        check("eql", json!({"query": " "}), "rule-field-invalid `query` must not be empty @ \" \"");
        check(
            "esql",
            json!({"index": ["x"]}),
            "rule-ignored `index` has no effect: `esql` rules have none @ \"index\"",
        );
        check("eqll", json!({}), "rule-type-unknown unknown rule type `eqll` @ \"eqll\"");
        check(
            "query",
            json!({"building_block_type": "big"}),
            "rule-field-invalid `building_block_type` must be `default`, not `big` @ \"big\"",
        );
        check(
            "query",
            json!({"threat": [{"framework": "F", "tactic": {"id": "1", "name": "T", "reference": "R", "rank": 1}}]}),
            "rule-field-unknown unknown field `threat[0].tactic.rank` @ {",
        );
        check(
            "query",
            json!({"threat": [{"framework": "F"}]}),
            "rule-field-invalid `threat[0]`: missing field `tactic` @ {",
        );
    }

    #[test]
    fn fields_of_a_type_that_do_not_fit_are_reported_where_they_are() {
        check(
            "query",
            json!({"alert_suppression": {"group_by": []}}),
            "rule-field-invalid `alert_suppression` must have one to three fields in `group_by` @ {",
        );
        check(
            "threshold",
            json!({"alert_suppression": {"group_by": ["a"]}}),
            "rule-field-invalid `alert_suppression` of a threshold rule must have a `duration` @ {",
        );
        check(
            "threshold",
            json!({"threshold": {"field": [], "value": 0}}),
            "rule-field-invalid `threshold` must have values of at least 1 @ {",
        );
        check(
            "new_terms",
            json!({"new_terms_fields": ["a", "b", "c", "d"]}),
            "rule-field-invalid `new_terms_fields` must name one to three fields @ [",
        );
        check(
            "new_terms",
            json!({"history_window_start": "now-6m"}),
            "rule-field-invalid `history_window_start` must be earlier than `from` @ \"now-6m\"",
        );
        check(
            "threat_match",
            json!({"threat_mapping":
            [{"entries": [{"field": "a", "type": "mapping", "value": "b", "negate": true}]}]}),
            "rule-field-invalid a group of `threat_mapping` needs an entry that is not negated @ {",
        );
        check(
            "threat_match",
            json!({"threat_filters": [{}, 1]}),
            "rule-field-invalid `threat_filters` must hold objects @ 1",
        );
        check(
            "machine_learning",
            json!({"anomaly_threshold": null}),
            "rule-field-missing `anomaly_threshold` is missing @ null",
        );
    }

    #[test]
    fn the_word_none_is_no_guide() {
        let rule = rule("query", json!({"note": "None", "setup": "None"}));
        assert_eq!((rule.note, rule.setup), (None, String::new()));
    }

    #[test]
    fn one_id_stands_in_for_the_other() {
        let check = |changes: Value, expected: (&str, &str)| {
            let rule = rule("query", changes);
            assert_eq!((rule.rule_id.as_str(), rule.uuid.as_str()), expected);
        };
        check(json!({}), ("r1", "r1"));
        check(json!({"id": "u1"}), ("r1", "u1"));
    }

    #[test]
    fn unusual_types_are_not_lost_in_the_api_json() {
        let changes = [
            ("saved_query", json!({"query": "a:1", "filters": [{"query": {"exists": {"field": "a"}}}]})),
            (
                "threat_match",
                json!({"concurrent_searches": 2, "items_per_search": 9, "saved_id": "s", "threat_filters": [{}]}),
            ),
            (
                "eql",
                json!({"timestamp_field": "t", "data_view_id": "v", "timestamp_override": "event.ingested",
                "timestamp_override_fallback_disabled": true, "investigation_fields": {"field_names": ["a"]}}),
            ),
            (
                "query",
                json!({"id": "u", "meta": {"a": {"b": 1}}, "throttle": "1h", "namespace": "n", "immutable": true,
                "rule_source": {"type": "internal"}, "created_at": "c", "created_by": "me", "updated_at": "u",
                "updated_by": "you", "response_actions": [{"action_type_id": ".osquery"}], "revision": 3,
                "exceptions_list": [{"id": "i", "list_id": "l", "type": "detection", "namespace_type": "single"}]}),
            ),
        ];
        for (rule_type, changes) in changes {
            let document = rule(rule_type, changes);
            let text = crate::to_api_json(&document).to_string();
            let mut file = parse_json(&Arc::new(Source::new("back.json", text)));
            let back = RuleDocument { origin: document.origin.clone(), ..file.rules.remove(0) };
            assert_eq!(back, document);
        }
    }
}
