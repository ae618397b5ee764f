//! What only one rule type has (specification 1.1 and 1.2, by type).

use maxspan_diagnostics::codes;
use serde_json::Value;

use super::{CODES, non_empty, read_filters, read_language};
use crate::document::{
    Language, MachineLearningParams, NewTermsParams, RuleParams, RuleType, ThreatMappingGroup,
    ThreatMatchParams, Threshold, ThresholdParams,
};
use crate::field_reader::FieldReader;
use crate::json_places::Step;
use crate::schedule::{DateMath, Schedule};

/// Reads what only rules of that type have; nothing where a part without a stand-in is missing.
pub(super) fn read_params(
    reader: &mut FieldReader<'_>,
    rule_type: RuleType,
    schedule: Option<&Schedule>,
) -> Option<RuleParams> {
    Some(match rule_type {
        RuleType::Query => RuleParams::Query { saved_id: non_empty(reader.text("saved_id")) },
        RuleType::SavedQuery => RuleParams::SavedQuery { saved_id: reader.required_text("saved_id") },
        RuleType::Eql => RuleParams::Eql {
            event_category_override: non_empty(reader.text("event_category_override")),
            tiebreaker_field: non_empty(reader.text("tiebreaker_field")),
            timestamp_field: non_empty(reader.text("timestamp_field")),
        },
        RuleType::Esql => RuleParams::Esql,
        RuleType::Threshold => RuleParams::Threshold(read_threshold(reader)?),
        RuleType::NewTerms => RuleParams::NewTerms(read_new_terms(reader, schedule)?),
        RuleType::ThreatMatch => RuleParams::ThreatMatch(Box::new(read_threat_match(reader))),
        RuleType::MachineLearning => RuleParams::MachineLearning(read_machine_learning(reader)?),
    })
}

fn read_threshold(reader: &mut FieldReader<'_>) -> Option<ThresholdParams> {
    let saved_id = non_empty(reader.text("saved_id"));
    if !reader.required("threshold") {
        return None;
    }
    let mut fields = reader.object("threshold")?;
    // One field may be written without a list; the empty text is no field.
    let field = fields.entry("field").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::String(name) = field {
        *field = if name.is_empty() { Value::Array(Vec::new()) } else { Value::Array(vec![field.clone()]) };
    }
    let path = [Step::Key("threshold")];
    let threshold: Threshold = reader.shaped_part(&path, &Value::Object(fields))?;
    if threshold.field.len() > 5 {
        return reader.invalid("threshold", "can have at most five fields");
    }
    if threshold.value == 0 || threshold.cardinality.iter().any(|cardinality| cardinality.value == 0) {
        return reader.invalid("threshold", "must have values of at least 1");
    }
    Some(ThresholdParams { threshold, saved_id })
}

fn read_new_terms(reader: &mut FieldReader<'_>, schedule: Option<&Schedule>) -> Option<NewTermsParams> {
    let fields =
        if reader.required("new_terms_fields") { reader.texts("new_terms_fields") } else { Vec::new() };
    let start =
        reader.required("history_window_start").then(|| reader.text("history_window_start")).flatten()?;
    if !(1..=3).contains(&fields.len()) {
        return reader.invalid("new_terms_fields", "must name one to three fields");
    }
    match DateMath::parse(&start) {
        Err(error) => {
            let message = format!("`history_window_start`: {error}");
            reader.report(codes::RULE_SCHEDULE, &[Step::Key("history_window_start")], message);
            None
        }
        Ok(start)
            if schedule.is_some_and(|schedule| start.reach_back_ms() <= schedule.from.reach_back_ms()) =>
        {
            reader.invalid("history_window_start", "must be earlier than `from`")
        }
        Ok(history_window_start) => Some(NewTermsParams { fields, history_window_start }),
    }
}

fn read_threat_match(reader: &mut FieldReader<'_>) -> ThreatMatchParams {
    let threat_index =
        if reader.required("threat_index") { reader.texts("threat_index") } else { Vec::new() };
    let threat_mapping: Vec<ThreatMappingGroup> =
        if reader.required("threat_mapping") { reader.parts("threat_mapping") } else { Vec::new() };
    for (position, group) in threat_mapping.iter().enumerate() {
        let path = [Step::Key("threat_mapping"), Step::Index(position)];
        if group.entries.iter().all(|entry| entry.negate == Some(true)) {
            let message = "a group of `threat_mapping` needs an entry that is not negated";
            reader.report(CODES.invalid, &path, message);
        }
        if group.entries.iter().any(|entry| entry.entry_type != "mapping") {
            reader.report(CODES.invalid, &path, "entries of `threat_mapping` must be of type `mapping`");
        }
    }
    ThreatMatchParams {
        threat_index,
        threat_mapping,
        threat_query: reader.text("threat_query").unwrap_or_else(|| "*:*".to_owned()),
        threat_language: read_language(reader, "threat_language", RuleType::ThreatMatch.languages())
            .unwrap_or(Language::Kuery),
        threat_filters: read_filters(reader, "threat_filters"),
        threat_indicator_path: non_empty(reader.text("threat_indicator_path"))
            .unwrap_or_else(|| "threat.indicator".to_owned()),
        concurrent_searches: reader.integer("concurrent_searches", 1..=u64::MAX),
        items_per_search: reader.integer("items_per_search", 1..=u64::MAX),
        saved_id: non_empty(reader.text("saved_id")),
    }
}

fn read_machine_learning(reader: &mut FieldReader<'_>) -> Option<MachineLearningParams> {
    let threshold =
        reader.required("anomaly_threshold").then(|| reader.integer("anomaly_threshold", 0..=100));
    let jobs = if reader.required("machine_learning_job_id") {
        reader.text_or_texts("machine_learning_job_id")
    } else {
        Vec::new()
    };
    let anomaly_threshold = u8::try_from(threshold.flatten()?).ok()?;
    Some(MachineLearningParams { anomaly_threshold, machine_learning_job_id: jobs })
}
