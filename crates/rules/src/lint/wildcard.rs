//! `MX1605` wildcard-without-effect: a star in a comparison that takes it literally.

use maxspan_diagnostics::{Diagnostic, codes};

use super::comparison::Operator;
use super::subject::Subject;

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    for one in &subject.comparisons {
        let help = match one.operator {
            Operator::Equal | Operator::In | Operator::InAnyCase => {
                "use `:` or `like~`, which have wildcards"
            }
            Operator::KqlQuoted => "write it without the quotes, with a backslash before special characters",
            _ => continue,
        };
        let Some(text) = one.text().filter(|text| looks_like_pattern(text)) else { continue };
        let message = format!("the star in `{text}` is no wildcard here, but a star");
        found.push(Diagnostic::new(codes::LINT_WILDCARD_LITERAL, one.value_span, message).with_help(help));
    }
    subject.say_all(found);
}

/// Whether the text has a star, and letters or digits that the star would stand beside. Windows itself writes shares of
/// any host with a star, `\\*\ADMIN$`.
fn looks_like_pattern(text: &str) -> bool {
    text.contains('*')
        && !text.starts_with(r"\\*\")
        && text.chars().filter(|c| c.is_alphanumeric()).count() > 1
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn stars_that_are_stars() {
        check_eql("any where process.name == \"cmd*\"", &["MX1605 1:27 is no wildcard"]);
        check_eql("any where process.name in~ (\"a\", \"cmd*\")", &["MX1605 1:34"]);
        check_eql("any where process.name : \"cmd*\" or process.args == \"*\"", &[]);
        check_kql("process.name: \"cmd*\"", &["MX1605 1:15"]);
        check_kql("process.name: cmd*", &[]);
        check_kql(r#"winlog.event_data.ShareName: "\\\\*\\ADMIN$""#, &[]);
    }
}
