//! Names of indices and data streams, and the patterns that rules choose them with.
//!
//! Patterns have `*`; one that begins with `-` takes away what earlier ones chose; `cluster:pattern` is for remote
//! clusters. A backing index (`.ds-logs-x-default-2026.01.01-000001`) counts as its data stream, as Elasticsearch
//! resolves it, and hidden names (with a leading dot) are only chosen by patterns with a leading dot.

use std::borrow::Cow;

use crate::wildcard::Wildcard;

/// An ordered list of index patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct IndexPatterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pattern {
    excluded: bool,
    cluster: Option<Wildcard>,
    hidden: bool,
    name: Wildcard,
}

impl IndexPatterns {
    /// Patterns in the rule's order; each may hold several, separated by commas.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let patterns = patterns.into_iter().flat_map(|text| text.split(',')).map(str::trim);
        Self { patterns: patterns.filter(|text| !text.is_empty()).map(Pattern::new).collect() }
    }

    /// Whether the patterns choose the index. An empty list chooses everything.
    ///
    /// ```
    /// use maxspan_event::index::IndexPatterns;
    /// let patterns = IndexPatterns::new(["logs-*", "-logs-cloud*"]);
    /// assert!(patterns.matches("logs-endpoint.events.process-default"));
    /// assert!(patterns.matches(".ds-logs-endpoint.events.process-default-2026.01.31-000007"));
    /// assert!(!patterns.matches("logs-cloud_audit"));
    /// assert!(!patterns.matches("auditbeat-8"));
    /// ```
    pub fn matches(&self, index: &str) -> bool {
        if self.patterns.is_empty() {
            return true;
        }
        let (cluster, name) = match index.split_once(':') {
            Some((cluster, name)) => (Some(cluster), name),
            None => (None, index),
        };
        let stream = data_stream_name(name);
        let mut chosen = false;
        for pattern in &self.patterns {
            if chosen == pattern.excluded
                && (pattern.matches(cluster, name) || pattern.matches(cluster, &stream))
            {
                chosen = !pattern.excluded;
            }
        }
        chosen
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        let (excluded, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (cluster, name) = match text.split_once(':') {
            Some((cluster, name)) => (Some(Wildcard::new(cluster, false)), name),
            None => (None, text),
        };
        let name = if name == "_all" { "*" } else { name };
        Self { excluded, cluster, hidden: name.starts_with('.'), name: Wildcard::new(name, false) }
    }

    fn matches(&self, cluster: Option<&str>, name: &str) -> bool {
        let cluster_fits = match (&self.cluster, cluster) {
            (None, None) => true,
            (Some(pattern), Some(cluster)) => pattern.matches(cluster),
            _ => false,
        };
        cluster_fits && (self.hidden || !name.starts_with('.')) && self.name.matches(name)
    }
}

/// The name under which a backing index is searched: its data stream, or the alias of an alerts index.
pub fn data_stream_name(index: &str) -> Cow<'_, str> {
    let name =
        ["partial-", "restored-"].iter().find_map(|prefix| index.strip_prefix(prefix)).unwrap_or(index);
    if let Some(rest) = name.strip_prefix(".ds-") {
        return Cow::Borrowed(without_generation(rest, true));
    }
    if let Some(rest) = name.strip_prefix(".internal.alerts-") {
        return Cow::Owned(format!(".alerts-{}", without_generation(rest, false)));
    }
    Cow::Borrowed(name)
}

/// Cuts `-2026.01.31-000007`, or only `-000007`.
fn without_generation(name: &str, dated: bool) -> &str {
    let is_generation = |text: &str| text.len() >= 6 && text.bytes().all(|b| b.is_ascii_digit());
    let is_date = |text: &str| {
        text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'.' } else { b.is_ascii_digit() })
    };
    let Some((rest, generation)) = name.rsplit_once('-') else { return name };
    if !is_generation(generation) {
        return name;
    }
    match rest.rsplit_once('-') {
        Some((stream, date)) if dated && is_date(date) => stream,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_indices() {
        let check = |patterns: &[&str], index: &str, expected: bool| {
            let parsed = IndexPatterns::new(patterns.iter().copied());
            assert_eq!(parsed.matches(index), expected, "{patterns:?} on {index}");
        };
        check(&["auditbeat-*", "logs-*"], "logs-x-default", true);
        check(&["logs-*", "-logs-x*"], "logs-x-default", false);
        check(&["logs-*", "-logs-x*", "logs-x-default"], "logs-x-default", true);
        check(&["-logs-x*", "logs-*"], "logs-x-default", true);
        check(&["*"], ".alerts-security.alerts-default", false);
        check(&[".alerts-security.*"], ".internal.alerts-security.alerts-default-000001", true);
        check(&["logs-*"], "c1:logs-x", false);
        check(&["*:logs-*"], "c1:logs-x", true);
        check(&["*:logs-*"], "logs-x", false);
        check(&["apm-*-transaction*"], "apm-*-transaction*", true);
        check(&["a*,b*"], "bx", true);
        check(&[], "anything", true);
        check(&["logs-x-default"], ".ds-logs-x-default-000001", true);
    }
}
