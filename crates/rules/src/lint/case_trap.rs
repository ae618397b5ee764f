//! `MX1604` case-trap: a constant in a case that the field does not have, where case counts.
//!
//! ECS gives the values of some fields, or says that they are in lower case. What events really hold,
//! `rules check --against` compares (`MX1671`).

use maxspan_diagnostics::{Diagnostic, codes};

use super::subject::Subject;

/// Fields whose values are lower-case by ECS, beside those with a list of values.
const LOWER_CASE: [&str; 5] =
    ["host.os.type", "network.protocol", "network.transport", "network.type", "process.hash.sha256"];

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    for one in subject.comparisons.iter().filter(|one| one.operator.counts_case()) {
        let Some(text) = one.text() else { continue };
        let allowed = subject.schema.allowed_values(&one.field);
        let lower = LOWER_CASE.contains(&one.field.as_str()).then(|| text.to_ascii_lowercase());
        let other_case =
            allowed.iter().find(|value| value.eq_ignore_ascii_case(text)).map(|value| (*value).to_owned());
        let Some(right) = other_case.or(lower).filter(|right| right != text) else { continue };
        // Who lists both knows.
        let both = |other: &super::comparison::Comparison| {
            other.field == one.field && other.negated == one.negated && other.text() == Some(right.as_str())
        };
        if subject.comparisons.iter().any(both) {
            continue;
        }
        let message = format!("`{}` holds `{right}`, and `{}` counts case", one.field, one.operator.symbol());
        found.push(
            Diagnostic::new(codes::LINT_CASE_TRAP, one.value_span, message)
                .with_help(format!("write `{right}`")),
        );
    }
    subject.say_all(found);
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn values_in_another_case() {
        check_eql("any where event.type == \"Start\"", &["MX1604 1:25 write `start`"]);
        check_eql("any where host.os.type in (\"Windows\", \"linux\")", &["MX1604 1:28 host.os.type"]);
        check_eql("any where event.type : \"Start\"", &[]);
        check_eql("any where process.name == \"CMD.EXE\"", &[]);
        check_kql("event.kind: Alert", &["MX1604 1:13 alert"]);
        check_kql("event.outcome: (success or Success)", &[]);
        check_kql("event.kind: alert and process.name: A", &[]);
    }
}
