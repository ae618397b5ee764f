//! Profiles: how many events of an input answer each question by which rules could be found with yes.
//!
//! A profile is a table in JSON, `{"version": 1, "events": 1000, "atoms": {"process.name = \"curl\"": 12, …}}`. Rules that
//! are compiled with it ([`RuleBaseOptions::selectivity`](crate::rule_base::RuleBaseOptions::selectivity)) are found by
//! what was rare. Which events match does not depend on it.

use std::collections::BTreeMap;

use maxspan_diagnostics::{Code, Diagnostic, Source, Span, codes};
use maxspan_engine::{Profiler, Scratch, Selectivity};
use serde::{Deserialize, Serialize};

use crate::hunt::RuleStats;
use crate::input::{Batch, BatchItem, InputProblem, Progress, Reader};
use crate::rule_base::RuleBase;
use crate::source::undecodable;

/// The version of the table.
const VERSION: u64 = 1;

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// 1
    pub version: u64,
    /// Events that were looked at.
    pub events: u64,
    /// By question as `rules explain` writes it, the events that answer yes.
    pub atoms: BTreeMap<String, u64>,
}

/// What of the stats of a hunt says what rules cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HuntCosts {
    /// Events that were matched.
    pub events: u64,
    /// What was found of candidates.
    pub prefilter: PrefilterCosts,
}

/// What of the stats of the prefilter says what rules cost.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PrefilterCosts {
    /// By rule id.
    pub rules: BTreeMap<String, RuleStats>,
}

/// Who listens to what is read.
pub trait ProfileObserver {
    /// Something in the input that could not be read.
    fn problem(&mut self, _problem: &InputProblem) {}

    /// After each batch, for a progress bar.
    fn progress(&mut self, _progress: Progress, _events: u64) {}
}

/// Counts the events of an input for the rules.
pub fn profile(rules: &RuleBase, reader: &mut Reader, observer: &mut dyn ProfileObserver) -> Profile {
    let mut profiler = Profiler::new(&rules.rule_set);
    let (mut scratch, mut batch) = (Scratch::default(), Batch::default());
    while reader.batch(&mut batch) {
        for item in batch.iter() {
            match item {
                BatchItem::Event(event) => match rules.rule_set.view_event(&event.input(""), &mut scratch) {
                    Ok(_) => profiler.count(scratch.slots()),
                    Err(error) => observer.problem(&undecodable(&event.location(), error)),
                },
                BatchItem::Problem(problem) => observer.problem(problem),
            }
        }
        observer.progress(batch.progress(), profiler.events());
    }
    let atoms = profiler.atoms().into_iter().map(|(atom, count)| (atom.to_owned(), count)).collect();
    Profile { version: VERSION, events: profiler.events(), atoms }
}

impl Profile {
    /// Reads the text of a profile.
    pub fn read(source: &Source) -> Result<Self, Diagnostic> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let Versioned { version } = parse(source, codes::PROFILE_FORMAT)?;
        let again = "write a new one with `maxspan rules profile`";
        let wrong = |key: &str, message: String| {
            let start = source.text.find(&format!("\"{key}\"")).unwrap_or_default();
            let span = Span::new(start, (start + key.len() + 2).min(source.text.len()));
            Diagnostic::new(codes::PROFILE_FORMAT, span, message).with_help(again)
        };
        if version != VERSION {
            let message = format!("a profile of version {version}; this program reads version {VERSION}");
            return Err(wrong("version", message));
        }
        let profile: Self = parse(source, codes::PROFILE_FORMAT)?;
        match profile.atoms.iter().find(|(_, count)| **count > profile.events) {
            Some((_, count)) => {
                Err(wrong("atoms", format!("a count of {count}, but there are {} events", profile.events)))
            }
            None => Ok(profile),
        }
    }

    /// What the prefilter can choose by.
    pub fn selectivity(&self) -> Selectivity {
        let atoms = self.atoms.iter().map(|(atom, count)| (atom.as_str(), *count));
        Selectivity::measured(self.events, atoms)
    }
}

impl HuntCosts {
    /// Reads the file that `hunt --stats` wrote.
    pub fn read(source: &Source) -> Result<Self, Diagnostic> {
        parse(source, codes::STATS_FORMAT)
    }
}

fn parse<'a, T: Deserialize<'a>>(source: &'a Source, code: Code) -> Result<T, Diagnostic> {
    serde_json::from_str(&source.text).map_err(|error| {
        let said = error.to_string();
        let message = said.rsplit_once(" at line ").map_or(said.as_str(), |(message, _)| message);
        Diagnostic::new(code, Span::at(offset(&source.text, error.line(), error.column())), message)
    })
}

/// The byte at a line and column as `serde_json` counts them: from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (before + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_profiles_are_errors_with_a_place() {
        let check = |text: &str, place: &str, message: &str| {
            let source = Source::new("profile.json", text);
            let found = Profile::read(&source).expect_err(text);
            assert_eq!(found.code, codes::PROFILE_FORMAT, "{text}");
            assert_eq!(source.position(found.span.start).to_string(), place, "{text}");
            assert!(found.message.contains(message), "{text}: {}", found.message);
        };
        check("", "1:1", "EOF");
        check("x", "1:1", "expected value");
        check("{\"events\": 1}", "1:13", "missing field `version`");
        check("{\"version\": \"1\"}", "1:15", "invalid type");
        check("{\n\"version\": 2, \"events\": 1, \"atoms\": {}}", "2:1", "version 2");
        check("{\"version\": 1, \"events\": 1}", "1:27", "missing field `atoms`");
        check("{\"version\": 1, \"events\": -1, \"atoms\": {}}", "1:27", "invalid value");
        check("{\"version\": 1, \"events\": 1, \"atoms\": {\"ä\": \"ö\"}}", "1:46", "invalid type");
        check("{\"version\": 1, \"events\": 1, \"atoms\": {\"a\": 2}}", "1:29", "a count of 2");
        check("{\"version\": 1, \"events\": 1, \"atoms\": {}} x", "1:42", "trailing");
    }

    #[test]
    fn profiles_are_read_as_they_are_written() {
        let atoms = BTreeMap::from([("process.name = \"ä\\n\"".to_owned(), 3)]);
        let profile = Profile { version: VERSION, events: 3, atoms };
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(Profile::read(&Source::new("p", text)), Ok(profile));
    }

    #[test]
    fn stats_without_costs_are_an_error() {
        let check = |text: &str| HuntCosts::read(&Source::new("s", text)).map_err(|found| found.code);
        assert_eq!(check("{\"events\": 1, \"prefilter\": {}}"), Err(codes::STATS_FORMAT));
        let text = "{\"events\": 1, \"prefilter\": {\"rules\": {\"r\": {\"candidates\": 1, \"matches\": 0, \
                    \"nanoseconds\": 7}}}}";
        assert_eq!(check(text).unwrap().prefilter.rules["r"].nanoseconds, 7);
    }
}
