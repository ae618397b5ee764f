//! `MX1612` regex-text: the syntax of regular expressions in a pattern or text that is none.

use maxspan_diagnostics::{Diagnostic, codes};

use super::comparison::{Comparison, Operator};
use super::subject::Subject;

/// What stands in expressions and hardly anywhere else. A dot before a star is left out: `cmd.*` is a good pattern.
const SIGNS: [&str; 12] =
    ["[a-z", "[A-Z", "[0-9", "[^", "(?i)", "(?:", "\\d+", "\\w+", "\\s+", ".+", ")$", ".*\\."];

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut found = Vec::new();
    // Command lines hold the expressions of other programs.
    let is_command = |field: &str| field.ends_with("args") || field.contains("command_line");
    let plain = |one: &&Comparison| one.operator != Operator::Regex && !is_command(&one.field);
    for one in subject.comparisons.iter().filter(plain) {
        let Some(sign) = one.text().and_then(|text| SIGNS.iter().find(|sign| text.contains(**sign))) else {
            continue;
        };
        let message = format!("`{sign}` has no meaning here: this is no regular expression");
        let help = "use `regex` or `regex~` for expressions; patterns have `*` and `?`, in KQL `*` alone";
        found.push(Diagnostic::new(codes::LINT_REGEX_TEXT, one.value_span, message).with_help(help));
    }
    subject.say_all(found);
}

#[cfg(test)]
mod tests {
    use super::super::support::{check_eql, check_kql};

    #[test]
    fn expressions_in_patterns() {
        check_eql("any where process.name : \"update[0-9].exe\"", &["MX1612 1:26 `[0-9`"]);
        check_eql("any where process.name like \"\"\"a\\d+\"\"\"", &["MX1612 1:29"]);
        check_eql("any where process.name regex \"a[0-9]+\" or process.name : \"cmd.*\"", &[]);
        check_kql("process.name: update[0-9]*", &["MX1612 1:15"]);
    }
}
