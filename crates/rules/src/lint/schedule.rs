//! `MX1622` maxspan-over-window, `MX1623` interval-gap, `MX1624` no-overlap: what a rule's schedule misses.

use maxspan_diagnostics::{Diagnostic, codes};
use maxspan_eql::ast::QueryKind;

use super::subject::Subject;

pub(super) fn check(subject: &mut Subject<'_>) {
    let schedule = &subject.rule.schedule;
    let (interval_ms, from_ms) = (schedule.interval_ms, schedule.from.reach_back_ms());
    let window_ms = from_ms.saturating_add(schedule.to.offset_ms);
    maxspan(subject, window_ms);
    let schedule = &subject.rule.schedule;
    let (interval, from, to) = (&schedule.interval, &schedule.from.text, &schedule.to.text);
    if window_ms < interval_ms {
        let message = format!(
            "runs every {interval}, but looks only from {from} to {to}: events between are never looked at"
        );
        let help = "let `from` reach back further than `interval`, or run more often";
        subject.say_of_field("interval", codes::LINT_INTERVAL_GAP, message, help);
    } else if from_ms == interval_ms {
        let message = format!(
            "looks exactly one interval ({interval}) back: an event that is indexed late is never looked at"
        );
        let help = "let `from` reach back some minutes more than `interval`";
        subject.say_of_field("from", codes::LINT_NO_OVERLAP, message, help);
    }
}

fn maxspan(subject: &mut Subject<'_>, window_ms: i64) {
    let Some(QueryKind::Sequence(sequence)) = subject.eql.as_ref().map(|query| &query.kind) else { return };
    let Some(maxspan) = sequence.maxspan.filter(|maxspan| maxspan.millis > window_ms) else { return };
    let message = format!(
        "a sequence may take {}, but a run looks at {} only: longer ones are never found whole",
        subject.quote(maxspan.span),
        readable(window_ms)
    );
    let help = "let `from` reach back at least as far as `maxspan` and the interval";
    subject.say(Diagnostic::new(codes::LINT_MAXSPAN_LOOK_BACK, maxspan.span, message).with_help(help));
}

/// `9m`, `1h`: in the largest unit that leaves no rest.
fn readable(millis: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let unit = units.iter().find(|(unit, _)| millis % unit == 0).unwrap_or(&(1, "ms"));
    format!("{}{}", millis / unit.0, unit.1)
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_fields};

    #[test]
    fn schedules() {
        check_fields("interval = \"10m\"\nfrom = \"now-6m\"", &["MX1623 10m"]);
        check_fields("interval = \"5m\"\nfrom = \"now-10m\"\nto = \"now-6m\"", &["MX1623 now-6m"]);
        check_fields("interval = \"5m\"\nfrom = \"now-5m\"", &["MX1624 one interval"]);
        check_fields("interval = \"5m\"\nfrom = \"now-9m\"", &[]);
        let stages = "[process where process.name == \"a\"] [process where process.name == \"b\"]";
        check_eql(&format!("sequence by host.id with maxspan=1h {stages}"), &["MX1622 1:34 6m only"]);
    }
}
