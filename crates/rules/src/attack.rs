//! The ids of MITRE ATT&CK for enterprises: tactics, techniques, sub-techniques.
//!
//! The table (`attack.txt`, which says how it is written) was put together by hand from the published matrix. An id that
//! is newer than the table is unknown here.

/// The version of ATT&CK that the table is of.
pub(crate) const VERSION: &str = "v17";

const TABLE: &str = include_str!("attack.txt");

/// A technique or sub-technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Ids of the tactics that it belongs to.
    pub(crate) tactics: Vec<&'static str>,
    /// Whether it was taken back.
    pub(crate) retired: bool,
    /// What stands in its place.
    pub(crate) successor: Option<&'static str>,
}

/// The name of a tactic.
pub(crate) fn tactic(id: &str) -> Option<&'static str> {
    tactics().find(|(known, _)| *known == id).map(|(_, name)| name)
}

/// The technique above a sub-technique.
pub(crate) fn parent(id: &str) -> Option<&str> {
    id.split_once('.').map(|(technique, _)| technique)
}

/// A technique (`T1059`) or sub-technique (`T1059.001`).
pub(crate) fn technique(id: &str) -> Option<Entry> {
    let (technique, sub) = id.split_once('.').map_or((id, None), |(technique, sub)| (technique, Some(sub)));
    let mut lines = TABLE.lines().skip_while(|line| !begins_with(line, technique));
    let entry = lines.next().filter(|_| technique.starts_with("T1")).map(|line| read(line, &[]))?;
    let Some(sub) = sub else { return Some(entry) };
    let mut subs = lines.take_while(|line| line.starts_with('.'));
    let line = subs.find(|line| line.strip_prefix('.').is_some_and(|rest| begins_with(rest, sub)))?;
    Some(read(line, &entry.tactics))
}

fn tactics() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| line.starts_with("TA")).filter_map(|line| line.split_once(' '))
}

fn begins_with(line: &str, id: &str) -> bool {
    line.strip_prefix(id).is_some_and(|rest| rest.starts_with(' '))
}

/// Reads what stands after the id.
fn read(line: &'static str, inherited: &[&'static str]) -> Entry {
    let mut rest = line.split_once(' ').map_or("", |(_, rest)| rest);
    let mut tactics = inherited.to_vec();
    if let Some((list, name)) = rest.split_once(' ').filter(|(list, _)| is_tactics(list)) {
        let full = |digits: &str| self::tactics().map(|(id, _)| id).find(|id| id.ends_with(digits));
        tactics = list.split(',').filter_map(full).collect();
        rest = name;
    }
    let (retired, successor, name) = match rest.strip_prefix('!').and_then(|rest| rest.split_once(' ')) {
        Some((successor, name)) => (true, Some(successor).filter(|id| !id.is_empty()), name),
        None => (false, None, rest),
    };
    Entry { name, tactics, retired, successor }
}

fn is_tactics(word: &str) -> bool {
    word.split(',').all(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read() {
        let check = |id: &str, name: &str, tactics: &[&str]| {
            let entry = technique(id).unwrap();
            assert_eq!((entry.name, entry.tactics.as_slice(), entry.retired), (name, tactics, false), "{id}");
        };
        check("T1059", "Command and Scripting Interpreter", &["TA0002"]);
        check("T1059.001", "PowerShell", &["TA0002"]);
        check("T1490", "Inhibit System Recovery", &["TA0040"]);
        check("T1622", "Debugger Evasion", &["TA0005", "TA0007"]);
        assert_eq!(technique("T1064").unwrap().successor, Some("T1059"));
        assert!(technique("T1051").unwrap().retired);
        for unknown in ["T105", "T9999", "T1059.999", "T1059.", "TA0001", "", "#", "T1005.001"] {
            assert_eq!(technique(unknown), None, "{unknown}");
        }
        assert_eq!(tactic("TA0040"), Some("Impact"));
        assert_eq!(tactic("TA0099"), None);
    }

    #[test]
    fn the_table_is_well_formed() {
        let mut last = 0;
        for line in TABLE.lines().filter(|line| line.starts_with("T1")) {
            let id = line.split(' ').next().unwrap();
            let number: u32 = id[1..].parse().unwrap();
            assert!(number > last, "{id} is out of order");
            last = number;
            let entry = technique(id).unwrap();
            assert!(!entry.tactics.is_empty() && !entry.name.is_empty(), "{id}");
            if let Some(successor) = entry.successor {
                assert!(technique(successor).is_some_and(|entry| !entry.retired), "{id}: {successor}");
            }
        }
        assert!(TABLE.lines().filter(|line| line.starts_with('.')).all(|line| line.len() > 6));
    }
}
