//! Names of indices and data streams, and the patterns that rules choose them with.
//!
//! Patterns have `*`; one that begins with `-` takes away what earlier ones chose; `cluster:pattern` is for remote
//! clusters. A backing index (`.ds-logs-x-default-2026.01.01-000001`) counts as its data stream, as Elasticsearch
//! resolves it, and hidden names (with a leading dot) are only chosen by patterns with a leading dot.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

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

    /// Whether there is none, so that everything is chosen.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
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
        let name = Name::new(index);
        let chosen = |chosen, pattern: &Pattern| {
            if chosen == pattern.excluded && pattern.fits(&name) { !pattern.excluded } else { chosen }
        };
        self.patterns.is_empty() || self.patterns.iter().fold(false, chosen)
    }

    /// Whether the patterns may choose an index of this data stream, by its name or by that of a backing index. Errs
    /// towards yes.
    pub fn may_choose_stream(&self, stream: &str) -> bool {
        self.matches(stream) || self.patterns.iter().any(Pattern::may_name_backing_index)
    }
}

/// Many lists of patterns, which have most of their patterns in common: each is tried once for a name.
#[derive(Debug, Default)]
pub struct PatternLists {
    /// The different patterns, taken as choosing.
    patterns: Vec<Pattern>,
    /// Of each list the patterns' places, and whether they exclude; without any for a list that chooses everything.
    lists: Vec<Vec<(u32, bool)>>,
}

impl PatternLists {
    /// Makes them of lists.
    pub fn new<'a>(lists: impl IntoIterator<Item = &'a IndexPatterns>) -> Self {
        let (mut patterns, mut places) = (Vec::new(), FxHashMap::default());
        let mut place = |pattern: &Pattern| {
            let choosing = Pattern { excluded: false, ..pattern.clone() };
            let place = *places.entry(choosing).or_insert_with_key(|choosing| {
                patterns.push(choosing.clone());
                patterns.len() as u32 - 1
            });
            (place, pattern.excluded)
        };
        let lists = lists.into_iter().map(|list| list.patterns.iter().map(&mut place).collect()).collect();
        Self { patterns, lists }
    }

    /// Of each list, whether it chooses the index; as [`IndexPatterns::matches`] says.
    pub fn matching(&self, index: &str) -> Vec<bool> {
        let name = Name::new(index);
        let fits: Vec<bool> = self.patterns.iter().map(|pattern| pattern.fits(&name)).collect();
        let chooses = |list: &Vec<(u32, bool)>| {
            let chosen = |chosen, &(place, excluded): &(u32, bool)| {
                if fits[place as usize] { !excluded } else { chosen }
            };
            list.iter().fold(list.is_empty(), chosen)
        };
        self.lists.iter().map(chooses).collect()
    }
}

/// The name of an index, and those that it is searched under.
struct Name<'a> {
    cluster: Option<&'a str>,
    index: &'a str,
    /// Where that is another name.
    stream: Option<Cow<'a, str>>,
}

impl<'a> Name<'a> {
    fn new(name: &'a str) -> Self {
        let (cluster, index) = match name.split_once(':') {
            Some((cluster, index)) => (Some(cluster), index),
            None => (None, name),
        };
        let stream = Some(data_stream_name(index)).filter(|stream| stream != index);
        Self { cluster, index, stream }
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

    /// Whether the pattern may choose an index under another name than that of its data stream.
    fn may_name_backing_index(&self) -> bool {
        let literal = self.name.text().split('*').next().unwrap_or_default();
        let may_begin = |prefix: &str| prefix.starts_with(literal) || literal.starts_with(prefix);
        let may_differ = self.hidden || may_begin("partial-") || may_begin("restored-");
        !self.excluded && !self.name.matches_all() && may_differ
    }

    /// Whether the pattern is one for the index, choosing or excluding it.
    fn fits(&self, name: &Name<'_>) -> bool {
        let cluster_fits = match (&self.cluster, name.cluster) {
            (None, None) => true,
            (Some(pattern), Some(cluster)) => pattern.matches(cluster),
            _ => false,
        };
        cluster_fits
            && (self.fits_name(name.index) || name.stream.as_ref().is_some_and(|name| self.fits_name(name)))
    }

    fn fits_name(&self, name: &str) -> bool {
        (self.hidden || !name.starts_with('.')) && self.name.matches(name)
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
            let others = [IndexPatterns::new(["logs-*", "-*x*"]), parsed, IndexPatterns::new(["*:*", ".*"])];
            let alone: Vec<_> = others.iter().map(|list| list.matches(index)).collect();
            assert_eq!(PatternLists::new(&others).matching(index), alone, "{patterns:?} on {index}");
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

    #[test]
    fn patterns_choose_data_streams() {
        let check = |patterns: &[&str], stream: &str, expected: bool| {
            let patterns = IndexPatterns::new(patterns.iter().copied());
            assert_eq!(patterns.may_choose_stream(stream), expected, "{patterns:?} on {stream}");
        };
        check(&["logs-*"], "logs-x-default", true);
        check(&["logs-*"], "auditbeat-8", false);
        check(&[".ds-logs-x-*"], "logs-x-default", true);
        check(&["logs-*", "-logs-x-*"], "logs-x-default", false);
        check(&["logs-*", "-.ds-logs-x-*"], "logs-x-default", true);
        check(&["*"], "logs-x-default", true);
        check(&["part*"], "logs-x-default", true);
        check(&["c1:restored-logs-*"], "c1:logs-x", true);
        check(&[], "anything", true);
    }
}
