//! `MX1640` broken-link and `MX1641` duplicate-link: the rule's `references`. Nothing is looked up in the network.

use std::collections::BTreeSet;

use maxspan_diagnostics::codes;

use super::subject::Subject;

pub(super) fn check(subject: &mut Subject<'_>) {
    let mut seen = BTreeSet::new();
    for link in &subject.rule.references {
        if let Some((what, help)) = wrong_with(link) {
            let message = format!("the reference `{link}` {what}");
            subject.say_of_text(link, "references", codes::LINT_LINK, message, help);
        } else if !seen.insert(normal(link)) {
            let message = format!("the reference `{link}` stands there already");
            subject.say_of_field("references", codes::LINT_LINK_TWICE, message, "take one of them away");
        }
    }
}

/// What makes a text no web address, and what to do about it.
fn wrong_with(link: &str) -> Option<(&'static str, &'static str)> {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    if link.trim().is_empty() {
        return Some(("is empty", "take it away"));
    }
    if link.chars().any(char::is_whitespace) {
        return Some(("has white space in it", "write one address for each entry, white space as `%20`"));
    }
    let Some(rest) = rest else {
        return Some(("does not begin with `https://`", "write the whole address: `https://…`"));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let is_host = !name.is_empty()
        && !name.starts_with('.')
        && name.contains('.')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if !is_host && name != "localhost" && !host.starts_with('[') {
        return Some(("has no host that can be", "check the part after `https://`"));
    }
    None
}

/// The link without what does not tell pages apart.
fn normal(link: &str) -> String {
    let link = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or(link);
    link.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::support::check_fields;

    #[test]
    fn links() {
        let check =
            |links: &str, expected: &[&str]| check_fields(&format!("references = [{links}]"), expected);
        check("\"https://example.net/a\", \"http://example.net\"", &[]);
        check("\"www.example.net/a\"", &["MX1640 11:16 does not begin"]);
        check("\"https://example.net/a b\"", &["MX1640 11:16 white space"]);
        check("\"https://\"", &["MX1640 11:16 no host"]);
        check("\"https://example\"", &["MX1640 no host"]);
        check("\"https://example.net/a\", \"http://example.net/a/\"", &["MX1641 there already"]);
    }
}
