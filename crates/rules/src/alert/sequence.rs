//! The alerts of an EQL sequence: a building block for each event, and a shell over them (specification 3.7).

use std::sync::Arc;

use maxspan_event::Document;
use serde_json::Map;

use super::ancestors::{Ancestor, ancestors, depth_above, has_rule};
use super::document::{
    AlertDocument, AlertParts, BUILDING_BLOCK_TYPE, alert_members, original_time, put_alert_fields,
    put_timestamp,
};
use super::intersection::intersection;
use super::members::Members;
use super::reason::reason;
use super::rule_fields::AlertingRule;
use super::source::get_in;
use super::{Alert, AlertContext, SourceEvent, ids, overrides, suppression};
use crate::document::RuleDocument;

/// The name that all alerts of a sequence share.
const GROUP_ID: &str = "kibana.alert.group.id";
/// The place of a building block.
const GROUP_INDEX: &str = "kibana.alert.group.index";

/// The alerts of one sequence; only the shell counts as an alert that was created.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceAlerts {
    /// One for each event that is there, in order.
    pub blocks: Vec<Alert>,
    /// The alert about the whole.
    pub shell: Alert,
}

/// A block's event and what it came from.
struct Block<'a> {
    event: &'a SourceEvent<'a>,
    source: &'a Document<'a>,
    ancestors: Vec<Ancestor>,
    /// Depth of the block alert.
    depth: u64,
}

/// The alerts of a sequence (or sample) of events, in order; stand-ins for missing events give no block.
///
/// None where no event is there, or where one is an alert of the same rule or made from one: then the whole group is
/// dropped. Overrides do not apply to sequences.
pub fn sequence_alerts(
    rule: &AlertingRule<'_>,
    events: &[SourceEvent<'_>],
    context: &AlertContext<'_>,
) -> Option<SequenceAlerts> {
    let AlertingRule { document: rule, fields } = rule;
    let blocks: Vec<_> = events.iter().filter_map(block_of).collect();
    if blocks.is_empty() || blocks.iter().any(|block| has_rule(&block.ancestors, &rule.uuid)) {
        return None;
    }
    let names: Vec<_> = blocks.iter().map(|block| names_of(&block.ancestors)).collect();
    let block_ids = ids::building_block_ids(&names, &rule.uuid);
    let shell_ancestors = shell_ancestors(rule, &blocks, &block_ids);
    let shell_id = ids::shell_id(&names_of(&shell_ancestors), &rule.uuid);
    let documents = blocks.iter().zip(&block_ids).enumerate().map(|(position, (block, id))| {
        let own = block_members(rule, context, block, id, (&shell_id, position));
        Alert { id: id.clone(), document: AlertDocument::new(own, Arc::clone(fields)) }
    });
    let documents: Vec<_> = documents.collect();
    let depths: Vec<_> = blocks.iter().map(|block| block.depth).collect();
    let shell = shell_members(rule, context, &documents, &shell_id, &shell_ancestors, depth_above(&depths));
    let shell = AlertDocument::new(shell, Arc::clone(fields));
    Some(SequenceAlerts { blocks: documents, shell: Alert { id: shell_id, document: shell } })
}

fn block_of<'a>(event: &'a SourceEvent<'_>) -> Option<Block<'a>> {
    let source = event.source.as_ref()?;
    let ancestors = ancestors(event);
    let parent_depth = ancestors.last().map_or(0, |parent| parent.depth);
    Some(Block { event, source, ancestors, depth: depth_above(&[parent_depth]) })
}

fn names_of(ancestors: &[Ancestor]) -> Vec<(&str, &str)> {
    ancestors.iter().map(|ancestor| (ancestor.id.as_str(), ancestor.index.as_str())).collect()
}

/// Of each block its ancestors and then the block itself, whose index is not known yet.
fn shell_ancestors(rule: &RuleDocument, blocks: &[Block<'_>], block_ids: &[String]) -> Vec<Ancestor> {
    let mut all = Vec::new();
    for (block, id) in blocks.iter().zip(block_ids) {
        all.extend(block.ancestors.iter().cloned());
        all.push(Ancestor {
            id: id.clone(),
            index: String::new(),
            depth: block.depth,
            is_alert: true,
            rule: Some(rule.uuid.clone()),
        });
    }
    all
}

fn block_members(
    rule: &RuleDocument,
    context: &AlertContext<'_>,
    block: &Block<'_>,
    id: &str,
    (group_id, group_index): (&str, usize),
) -> Members {
    let overrides = overrides::none(rule);
    let parts = AlertParts {
        id,
        ancestors: &block.ancestors,
        depth: block.depth,
        overrides: &overrides,
        reason: reason(|field| block.event.field(field), &overrides),
        original_time: original_time(block.source),
        building_block_type: Some("default"),
    };
    let mut members = alert_members(block.source, context, &parts);
    members.put_text(GROUP_ID, group_id);
    members.put(GROUP_INDEX, group_index);
    members
}

fn shell_members(
    rule: &RuleDocument,
    context: &AlertContext<'_>,
    blocks: &[Alert],
    id: &str,
    ancestors: &[Ancestor],
    depth: u64,
) -> Members {
    let overrides = overrides::none(rule);
    let blocks: Vec<&Map<_, _>> = blocks.iter().map(|block| block.document.own()).collect();
    let mut common = intersection(&blocks);
    let parts = AlertParts {
        id,
        ancestors,
        depth,
        overrides: &overrides,
        reason: reason(|field| get_in(&common, field).cloned(), &overrides),
        // Kibana's quirk: the shell's documents are the blocks, so this is when they were made, not when the events were.
        original_time: Some(context.now.to_owned()),
        building_block_type: rule.building_block_type.as_deref(),
    };
    let mut own = Members::default();
    put_timestamp(&mut own, context);
    put_alert_fields(&mut own, context, &parts);
    own.put_text(GROUP_ID, id);
    suppression::put(&mut own, context);
    // What makes the blocks building blocks is common to them, but not the shell's.
    common.shift_remove(BUILDING_BLOCK_TYPE);
    common.shift_remove(GROUP_INDEX);
    common.extend(own.parsed());
    Members::of(&common)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::needless_pass_by_value, reason = "`json!` values as arguments make tables readable")]

    use std::sync::Arc;

    use maxspan_diagnostics::Source;
    use serde_json::{Value, json};

    use super::*;
    use crate::alert::{FieldKind, FieldKinds, event_alert};

    const NOW: &str = "2024-01-01T00:05:00.000Z";
    const RULE: &str = "11111111-2222-3333-4444-555555555555";

    fn rule(changes: Value) -> RuleDocument {
        let mut rule = json!({"rule_id": RULE, "name": "N", "description": "D", "severity": "low", "risk_score": 21,
            "type": "eql", "language": "eql", "query": "any where true", "rule_name_override": "event.action",
            "tags": ["t"], "meta": {"from": "1m", "a": {"b": 2}}});
        rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        crate::parse_json(&Arc::new(Source::new("rule.json", rule.to_string()))).rules.remove(0)
    }

    fn event(id: &str, source: Value) -> SourceEvent<'static> {
        let source = Document::read(source.to_string().as_bytes()).into_owned();
        SourceEvent { index: "logs-1".into(), id: id.into(), source: Some(source) }
    }

    fn kinds() -> FieldKinds {
        FieldKinds::new([("host.name", FieldKind::Text)])
    }

    fn two_events() -> Vec<SourceEvent<'static>> {
        vec![
            event(
                "e1",
                json!({"@timestamp": "2024-01-01T00:00:01Z", "event": {"kind": "event", "action": "one"},
                "host": {"name": "h1"}, "user": {"name": "bob"}, "process": {"name": "a"}}),
            ),
            SourceEvent::missing(),
            event(
                "e2",
                json!({"@timestamp": "2024-01-01T00:00:02Z", "event": {"kind": "event", "action": "two"},
                "host": {"name": "h1"}, "user": {"name": "eve"}, "process": {"name": "a"}}),
            ),
        ]
    }

    /// Compares the named fields of an alert; null for a field that must not be there.
    fn check(alert: &Alert, expected: Value) {
        for (field, expected) in expected.as_object().unwrap() {
            let found = alert.document.get(field).unwrap_or(&Value::Null);
            assert_eq!(found, expected, "{field}");
        }
        assert_eq!(alert.document.get("kibana.alert.uuid"), Some(&json!(alert.id)));
    }

    #[test]
    fn a_sequence_gives_blocks_and_a_shell() {
        let alerts = sequence_alerts(
            &AlertingRule::new(&rule(json!({}))),
            &two_events(),
            &AlertContext::new(NOW, "x", &kinds()),
        )
        .unwrap();
        let shell_id = "ca9b16cbf37a0b7bfb06fa4729a8ffdeeb5c7ecc60c4c8ce7f8fd35c09f2dd81";
        assert_eq!((alerts.blocks.len(), alerts.shell.id.as_str()), (2, shell_id));
        check(
            &alerts.blocks[1],
            json!({
                "@timestamp": NOW, "event.kind": "signal", "event": {"action": "two"}, "host": {"name": "h1"},
                "kibana.alert.uuid": "abaa8120b45686b44bf14fcce54d63db83aaa2e91d5712904e5da79be4a0e9ca",
                "kibana.alert.group.id": shell_id, "kibana.alert.group.index": 1,
                "kibana.alert.building_block_type": "default", "kibana.alert.depth": 1,
                "kibana.alert.original_time": "2024-01-01T00:00:02.000Z",
                "kibana.alert.original_event.kind": "event", "kibana.alert.original_event.action": "two",
                "kibana.alert.rule.name": "N",
                "kibana.alert.reason": "event with process a, by eve on h1 created low alert N.",
                "kibana.alert.ancestors": [{"id": "e2", "type": "event", "index": "logs-1", "depth": 0}],
            }),
        );
        check(
            &alerts.shell,
            json!({
                "@timestamp": NOW, "event.kind": "signal", "event": null, "host": {"name": "h1"}, "user": null,
                "process": {"name": "a"},
                "kibana.alert.group.id": shell_id, "kibana.alert.group.index": null,
                "kibana.alert.building_block_type": null, "kibana.alert.depth": 2,
                "kibana.alert.original_time": NOW, "kibana.alert.original_event.kind": "event",
                "kibana.alert.original_event.action": null,
                "kibana.alert.reason": "event with process a, on h1 created low alert N.",
                "kibana.alert.rule.tags": ["t"], "kibana.alert.rule.category": "Event Correlation Rule",
                "kibana.alert.ancestors": [
                    {"id": "e1", "type": "event", "index": "logs-1", "depth": 0},
                    {"id": alerts.blocks[0].id, "type": "signal", "index": "", "depth": 1, "rule": RULE},
                    {"id": "e2", "type": "event", "index": "logs-1", "depth": 0},
                    {"id": alerts.blocks[1].id, "type": "signal", "index": "", "depth": 1, "rule": RULE}],
            }),
        );
    }

    #[test]
    fn a_building_block_rule_has_a_building_block_shell() {
        let rule = rule(json!({"building_block_type": "default"}));
        let alerts = sequence_alerts(
            &AlertingRule::new(&rule),
            &two_events()[..1],
            &AlertContext::new(NOW, "x", &kinds()),
        )
        .unwrap();
        check(
            &alerts.shell,
            json!({"kibana.alert.building_block_type": "default", "kibana.alert.group.index": null}),
        );
    }

    #[test]
    fn one_event_gives_one_alert() {
        let event = event(
            "abc123",
            json!({"@timestamp": 1_704_067_201_000_i64, "event": {"kind": "event", "action": "one"}}),
        );
        let kinds = kinds();
        let context = AlertContext { version: "1", ..AlertContext::new(NOW, "run", &kinds) };
        let alert =
            event_alert(&AlertingRule::new(&rule(json!({"index": ["logs-*"]}))), &event, &context).unwrap();
        check(
            &alert,
            json!({
                "@timestamp": NOW, "event.kind": "signal", "event": {"action": "one"},
                "kibana.space_ids": ["default"], "kibana.version": "1",
                "kibana.alert.original_time": "2024-01-01T00:00:01.000Z", "kibana.alert.depth": 1,
                "kibana.alert.status": "active", "kibana.alert.workflow_status": "open", "kibana.alert.url": null,
                "kibana.alert.severity": "low", "kibana.alert.risk_score": 21, "kibana.alert.building_block_type": null,
                "kibana.alert.start": NOW, "kibana.alert.last_detected": NOW, "kibana.alert.intended_timestamp": NOW,
                "kibana.alert.reason": "event created low alert one.",
                "kibana.alert.rule.name": "one", "kibana.alert.rule.uuid": RULE, "kibana.alert.rule.rule_id": RULE,
                "kibana.alert.rule.indices": ["logs-*"], "kibana.alert.rule.meta.a.b": 2, "kibana.alert.rule.meta.from": "1m",
                "kibana.alert.rule.rule_type_id": "siem.eqlRule", "kibana.alert.rule.consumer": "siem",
                "kibana.alert.rule.execution.uuid": "run", "kibana.alert.rule.execution.type": "scheduled",
                "kibana.alert.rule.from": "now-6m", "kibana.alert.rule.note": null,
            }),
        );
        let parameters =
            alert.document.get("kibana.alert.rule.parameters").and_then(Value::as_object).unwrap();
        assert_eq!(parameters["query"], json!("any where true"));
        assert!(!parameters.contains_key("name") && !parameters.contains_key("interval"));
    }

    #[test]
    fn a_rule_does_not_feed_itself() {
        let alert_of = |uuid: &str| {
            event(
                "a",
                json!({"kibana.alert.uuid": "a", "kibana.alert.depth": 1,
            "kibana.alert.rule.uuid": uuid, "kibana.alert.ancestors": []}),
            )
        };
        let (rule, kinds) = (rule(json!({})), kinds());
        let context = AlertContext::new(NOW, "x", &kinds);
        assert!(event_alert(&AlertingRule::new(&rule), &alert_of(RULE), &context).is_none());
        assert!(
            sequence_alerts(&AlertingRule::new(&rule), &[two_events().remove(0), alert_of(RULE)], &context)
                .is_none()
        );
        assert!(sequence_alerts(&AlertingRule::new(&rule), &[SourceEvent::missing()], &context).is_none());
        let nameless = SourceEvent { index: "".into(), ..event("", json!({})) };
        let alerts =
            sequence_alerts(&AlertingRule::new(&rule), &[nameless, SourceEvent::missing()], &context);
        assert_eq!(alerts.map(|alerts| alerts.blocks.len()), Some(1));
        let alert = event_alert(&AlertingRule::new(&rule), &alert_of("another"), &context).unwrap();
        check(
            &alert,
            json!({"kibana.alert.depth": 2, "kibana.alert.ancestors":
            [{"id": "a", "type": "signal", "index": "logs-1", "depth": 1, "rule": "another"}]}),
        );
    }
}
