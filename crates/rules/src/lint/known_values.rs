//! `MX1613` misspelt-value: a value that ECS does not have for the field, though it has a similar one.
//!
//! Integrations send values of their own, so one that resembles none is let pass. What differs in case alone is a case
//! trap (`MX1604`).

use maxspan_diagnostics::{Diagnostic, codes, nearest_names};

use super::comparison::Operator;
use super::subject::Subject;

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    for one in &subject.comparisons {
        let allowed = subject.schema.allowed_values(&one.field);
        let Some(text) = one.text().filter(|_| !allowed.is_empty()) else { continue };
        let is_pattern = text.contains(['*', '?']) && one.operator.has_wildcards();
        let known = allowed.iter().any(|value| value.eq_ignore_ascii_case(text));
        if is_pattern || known || matches!(one.operator, Operator::Regex | Operator::Order) {
            continue;
        }
        let Some(near) = nearest_names(text, allowed.iter().copied()).first().copied() else { continue };
        let help = format!("did you mean `{near}`?");
        let message = format!("ECS has no value `{text}` for `{}`", one.field);
        found.push(Diagnostic::new(codes::LINT_VALUE_UNKNOWN, one.value_span, message).with_help(help));
    }
    subject.say_all(found);
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn values_that_ecs_lacks() {
        check_eql("any where event.type == \"starts\"", &["MX1613 1:25 did you mean `start`?"]);
        check_kql("event.category: (proces or file)", &["MX1613 1:18 process"]);
        check_eql("any where event.type == \"process_started\"", &[]);
        check_kql("event.category: pro* and event.outcome: success", &[]);
    }
}
