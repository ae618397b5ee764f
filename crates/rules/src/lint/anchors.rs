//! `MX1614` leading-wildcard and `MX1615` only-exclusions: conditions that hardly select events.
//!
//! What selects is a test of a field other than those that say what kind of event it is. A condition in a form that is
//! not known here (functions, free text) is taken to select. Of stages with join keys, one that selects is enough: the keys
//! select for the others.

use maxspan_diagnostics::{Diagnostic, Span, codes};
use maxspan_plan::TestKind;

use super::condition::{Literal, Node, NodeKind, Step};
use super::subject::Subject;

/// Fields, and objects of fields, that say what kind of event it is.
const GENERIC: [&str; 12] = [
    "@timestamp",
    "agent.",
    "data_stream.",
    "ecs.",
    "event.category",
    "event.dataset",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.type",
    "host.os.",
    "observer.",
];

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    let steps = || subject.steps.iter().filter(|step| !step.missing);
    let selects = |step: &Step| anchored(subject, &step.condition, &mut Places::default());
    if steps().any(|step| step.joined && selects(step)) {
        return;
    }
    for step in steps() {
        let mut places = Places::default();
        let anchored = anchored(subject, &step.condition, &mut places);
        let said = match (anchored, places.pattern, places.excluded) {
            (true, ..) => continue,
            (false, Some(span), _) => Diagnostic::new(
                codes::LINT_LEADING_WILDCARD,
                span,
                format!(
                    "nothing selects events but patterns with a wildcard at both ends, such as `{}`",
                    subject.quote(span)
                ),
            )
            .with_help("such a rule looks at every event of its indices; add a condition on a whole value"),
            (false, None, Some(span)) => Diagnostic::new(
                codes::LINT_ONLY_EXCLUSIONS,
                span,
                "nothing selects events but exclusions: every event without these fields matches".to_owned(),
            )
            .with_help("add a condition on what the event must have"),
            _ => continue,
        };
        found.push(said);
    }
    subject.say_all(found);
}

/// The first pattern with a leading wildcard, and the first exclusion.
#[derive(Default)]
struct Places {
    pattern: Option<Span>,
    excluded: Option<Span>,
}

/// Whether some test selects on every way through the condition.
fn anchored(subject: &Subject<'_>, node: &Node, places: &mut Places) -> bool {
    match &node.kind {
        NodeKind::Opaque | NodeKind::Constant(false) => true,
        NodeKind::Constant(true) => false,
        NodeKind::Test(literal) => selects(subject, literal, places),
        // Not `any` and `all`, which stop early: every place is wanted.
        NodeKind::All(parts) => {
            parts.iter().map(|part| anchored(subject, part, places)).fold(false, |all, one| all | one)
        }
        NodeKind::Any(parts) => {
            parts.iter().map(|part| anchored(subject, part, places)).fold(true, |all, one| all & one)
        }
    }
}

fn selects(subject: &Subject<'_>, literal: &Literal, places: &mut Places) -> bool {
    let name = &subject.field(literal.slot).name;
    let is_generic =
        |generic: &&str| *generic == name.as_str() || generic.ends_with('.') && name.starts_with(*generic);
    if GENERIC.iter().any(is_generic) {
        return false;
    }
    if literal.negative {
        places.excluded.get_or_insert(literal.span);
        return false;
    }
    match &literal.test {
        TestKind::Exists => false,
        TestKind::Wildcard(patterns) => {
            let fixed = patterns.iter().all(|one| one.has_fixed_start() || one.has_fixed_end());
            if !fixed {
                places.pattern.get_or_insert(literal.span);
            }
            fixed
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn what_selects() {
        check_eql("process where process.command_line : \"*-enc*\"", &["MX1614 1:15"]);
        check_eql("process where process.command_line : (\"*-enc*\", \"*.exe\")", &["MX1614 1:39"]);
        check_eql("process where process.command_line : \"*-enc*\" and process.name : \"*.exe\"", &[]);
        check_eql("process where process.command_line : \"*-enc*\" and length(process.name) > 3", &[]);
        check_eql("process where event.type == \"start\" and not process.name == \"a\"", &["MX1615 1:45"]);
        check_kql("event.category: process and not user.id: 0", &["MX1615"]);
        check_kql("event.category: process", &[]);
        let any = "[process where event.action != \"fork\"]";
        let one = "[process where process.name == \"a\"]";
        check_eql(&format!("sequence by host.id with maxspan=1m {one} {any}"), &[]);
        check_eql(
            &format!("sequence by host.id with maxspan=1m {any} {any}"),
            &["MX1615 1:52", "MX1615 1:91"],
        );
    }
}
