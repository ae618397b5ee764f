//! `MX1620` sequence-without-key and `MX1621` sequence-without-maxspan.

use maxspan_diagnostics::{Diagnostic, codes};
use maxspan_eql::ast::{QueryKind, SequenceQuery};

use super::subject::Subject;

pub(super) fn check(subject: &mut Subject<'_>) {
    let Some(QueryKind::Sequence(sequence)) = subject.eql.as_ref().map(|query| &query.kind) else { return };
    let found = [without_key(sequence), without_maxspan(sequence)];
    subject.say_all(found.into_iter().flatten());
}

fn without_key(sequence: &SequenceQuery) -> Option<Diagnostic> {
    let keyed = !sequence.by.is_empty() || sequence.stages.iter().any(|stage| !stage.by.is_empty());
    let message =
        "the events of this sequence need have nothing in common: they may come from different hosts";
    let help = "join them: `sequence by host.id`";
    (!keyed).then(|| Diagnostic::new(codes::LINT_SEQUENCE_KEY, sequence.span, message).with_help(help))
}

fn without_maxspan(sequence: &SequenceQuery) -> Option<Diagnostic> {
    let message = "without `maxspan` only the rule's window ends this sequence, so what it finds depends on the schedule";
    let help = "say how long it may take: `with maxspan=5m`";
    let found = Diagnostic::new(codes::LINT_SEQUENCE_MAXSPAN, sequence.span, message);
    sequence.maxspan.is_none().then(|| found.with_help(help))
}

#[cfg(test)]
mod tests {
    use super::super::support::check_eql;

    #[test]
    fn sequences() {
        let stages = "[process where process.name == \"a\"] [process where process.name == \"b\"]";
        check_eql(&format!("sequence {stages}"), &["MX1620 1:1", "MX1621 1:1"]);
        check_eql(&format!("sequence with maxspan=1m {stages}"), &["MX1620"]);
        check_eql(&format!("sequence by host.id with maxspan=1m {stages}"), &[]);
    }
}
