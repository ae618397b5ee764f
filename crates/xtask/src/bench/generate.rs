//! Rules that several engines can express, made from one table: as EQL in rule files, as Sigma in YAML, and as bare
//! queries. They mean the same: all texts are compared without case, and a rule tests fields that events have once.
//!
//! Most rules look for made-up names and match nothing; one in fifty looks for what is common on any Windows machine,
//! so that there are alerts to compare. The same count gives the same rules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bench::corpus;
use crate::bench::programs::Programs;

/// The only field of a number.
const PORT: &str = "destination.port";

/// One rule in so many matches something.
const MATCHING_EVERY: usize = 50;

/// How the value of a field is compared; always without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Is,
    Begins,
    Ends,
    Contains,
}

/// A field has one of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    field: &'static str,
    comparison: Comparison,
    values: Vec<String>,
}

impl Test {
    /// A port is a number; it is compared as one.
    fn is_number(&self) -> bool {
        self.field == PORT
    }
}

/// All tests hold, and the last one, if there is one, does not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    number: usize,
    tests: Vec<Test>,
    unless: Option<Test>,
}

/// Programs and event codes that any recording of a Windows machine has.
const COMMON_PROGRAMS: [&str; 15] = [
    "cmd.exe",
    "whoami.exe",
    "reg.exe",
    "csc.exe",
    "mshta.exe",
    "explorer.exe",
    "conhost.exe",
    "taskhostw.exe",
    "ntdsutil.exe",
    "sppsvc.exe",
    "RuntimeBroker.exe",
    "SearchUI.exe",
    "smartscreen.exe",
    "consent.exe",
    "rundll32.exe",
];
const COMMON_CODES: [&str; 8] = ["1", "3", "5", "7", "11", "12", "13", "22"];

/// Parts of made-up names.
const WORDS: [&str; 24] = [
    "amber", "birch", "cobalt", "dune", "ember", "fjord", "gannet", "heron", "iris", "juniper", "krill",
    "lichen", "marten", "nettle", "osprey", "pollen", "quill", "raven", "sorrel", "tundra", "umber", "vetch",
    "willow", "yarrow",
];

/// Rules in folders, one file each, and as bare EQL.
pub(super) struct Generated {
    pub(super) eql: PathBuf,
    pub(super) sigma: PathBuf,
    /// A JSON array of queries.
    pub(super) queries: PathBuf,
}

/// Writes so many rules in each form.
pub(super) fn write(programs: &Programs, count: usize) -> Result<Generated> {
    let eql = corpus::fresh(programs, &format!("generated-eql-{count}"))?;
    let sigma = corpus::fresh(programs, &format!("generated-sigma-{count}"))?;
    let rules: Vec<Rule> = (0..count).map(rule).collect();
    for rule in &rules {
        put(&eql.join(format!("rule-{:05}.toml", rule.number)), &rule_file(rule))?;
        put(&sigma.join(format!("rule-{:05}.yml", rule.number)), &sigma_rule(rule))?;
    }
    let queries: Vec<String> = rules.iter().map(query).collect();
    let path = programs.path(&format!("generated-queries-{count}.json"));
    put(&path, &serde_json::to_string(&queries)?)?;
    Ok(Generated { eql, sigma, queries: path })
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// The rule of this number.
fn rule(number: usize) -> Rule {
    if number % MATCHING_EVERY == MATCHING_EVERY / 2 {
        return matching(number);
    }
    let name = |part: usize| format!("{}{}", made_up(number * 7 + part), number);
    let is = |field, value: String| test(field, Comparison::Is, [value]);
    let process_start = || is("event.code", "1".to_owned());
    let (tests, unless) = match number % 10 {
        0 => (vec![process_start(), is("process.name", name(0) + ".exe")], None),
        1 => (vec![test("process.executable", Comparison::Ends, [format!("\\{}.exe", name(0))])], None),
        2 => {
            let words = [name(0), name(1), name(2)].map(|word| format!(" -{word} "));
            (vec![process_start(), test("process.command_line", Comparison::Contains, words)], None)
        }
        3 => (
            vec![
                test("process.parent.executable", Comparison::Ends, [format!("\\{}.exe", name(0))]),
                test("process.command_line", Comparison::Contains, [name(1), name(2)]),
            ],
            None,
        ),
        4 => (
            vec![test("registry.path", Comparison::Contains, [format!("\\{}\\{}", name(0), name(1))])],
            Some(test("process.name", Comparison::Is, ["svchost.exe".to_owned(), name(3) + ".exe"])),
        ),
        5 => (
            vec![test(
                "registry.path",
                Comparison::Ends,
                [format!("\\{}", name(0)), format!("\\{}", name(1))],
            )],
            None,
        ),
        6 => {
            let folder = format!("C:\\ProgramData\\{}\\", name(0));
            let files = test("file.path", Comparison::Begins, [folder]);
            (vec![files, test("file.name", Comparison::Ends, [".dll".to_owned(), ".exe".to_owned()])], None)
        }
        7 => (vec![test("dns.question.name", Comparison::Ends, [format!(".{}.example.net", name(0))])], None),
        8 => (vec![is("process.name", name(0) + ".exe"), is(PORT, (2_000 + number).to_string())], None),
        _ => (
            vec![test("process.name", Comparison::Is, [name(0), name(1), name(2)].map(|word| word + ".exe"))],
            Some(is("event.code", "10".to_owned())),
        ),
    };
    Rule { number, tests, unless }
}

/// A common program with an event code; what it leaves out differs from rule to rule.
fn matching(number: usize) -> Rule {
    let turn = number / MATCHING_EVERY;
    let program = COMMON_PROGRAMS[turn % COMMON_PROGRAMS.len()];
    let code = COMMON_CODES[turn / COMMON_PROGRAMS.len() % COMMON_CODES.len()];
    let name = if turn.is_multiple_of(2) {
        test("process.name", Comparison::Is, [program.to_owned()])
    } else {
        test("process.executable", Comparison::Ends, [format!("\\{program}")])
    };
    let other = format!("{}{number}.exe", made_up(number));
    Rule {
        number,
        tests: vec![test("event.code", Comparison::Is, [code.to_owned()]), name],
        unless: Some(test("process.name", Comparison::Is, [other])),
    }
}

fn test(field: &'static str, comparison: Comparison, values: impl IntoIterator<Item = String>) -> Test {
    Test { field, comparison, values: values.into_iter().collect() }
}

/// A made-up name; numbers that differ a little give names that differ much.
fn made_up(number: usize) -> String {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let word = |at: u64| WORDS[(mixed >> (at * 8)) as usize % WORDS.len()];
    format!("{}{}", word(0), word(1))
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

fn query(rule: &Rule) -> String {
    let tests: Vec<String> = rule.tests.iter().map(eql_test).collect();
    let unless = rule.unless.as_ref().map(|test| format!(" and not {}", eql_test(test))).unwrap_or_default();
    format!("any where {}{unless}", tests.join(" and "))
}

fn eql_test(test: &Test) -> String {
    let (before, after) = match test.comparison {
        Comparison::Is => ("", ""),
        Comparison::Begins => ("", "*"),
        Comparison::Ends => ("*", ""),
        Comparison::Contains => ("*", "*"),
    };
    let value = |value: &String| format!("\"{before}{}{after}\"", value.replace('\\', "\\\\"));
    let values: Vec<String> = test.values.iter().map(value).collect();
    match &values[..] {
        [port] if test.is_number() => format!("{} == {}", test.field, port.trim_matches('"')),
        [one] => format!("{} : {one}", test.field),
        several => format!("{} : ({})", test.field, several.join(", ")),
    }
}

fn rule_file(rule: &Rule) -> String {
    let head = "type = \"eql\"\nlanguage = \"eql\"\nrisk_score = 21\nseverity = \"low\"\ndescription = \"Generated\"";
    let (number, id, query) = (rule.number, id(rule.number), query(rule));
    format!(
        "[rule]\nname = \"Generated {number}\"\nrule_id = \"{id}\"\n{head}\nquery = \'\'\'\n{query}\n\'\'\'\n"
    )
}

fn sigma_rule(rule: &Rule) -> String {
    let mut text = format!("title: Generated {}\nid: {}\nstatus: test\n", rule.number, id(rule.number));
    text += "logsource:\n  product: windows\ndetection:\n  selection:\n";
    text.extend(rule.tests.iter().map(sigma_test));
    if let Some(test) = &rule.unless {
        text += "  filter:\n";
        text += &sigma_test(test);
    }
    let condition = if rule.unless.is_some() { "selection and not filter" } else { "selection" };
    text + &format!("  condition: {condition}\nlevel: low\n")
}

fn sigma_test(test: &Test) -> String {
    let modifier = match test.comparison {
        Comparison::Is => "",
        Comparison::Begins => "|startswith",
        Comparison::Ends => "|endswith",
        Comparison::Contains => "|contains",
    };
    let value = |value: &String| {
        if test.is_number() { value.clone() } else { format!("\'{}\'", value.replace('\'', "\'\'")) }
    };
    match &test.values[..] {
        [one] => format!("    {}{modifier}: {}\n", test.field, value(one)),
        several => {
            let lines: String = several.iter().map(|one| format!("      - {}\n", value(one))).collect();
            format!("    {}{modifier}:\n{lines}", test.field)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MATCHING_EVERY, query, rule, sigma_rule};

    #[test]
    fn a_rule_is_the_same_in_both_languages() {
        let check = |number: usize, eql: &[&str], sigma: &[&str]| {
            let (query, yaml) = (query(&rule(number)), sigma_rule(&rule(number)));
            assert!(eql.iter().all(|part| query.contains(part)), "{query}");
            assert!(sigma.iter().all(|part| yaml.contains(part)), "{yaml}");
        };
        check(
            25,
            &["process.name : \"cmd.exe\"", "and not"],
            &["process.name: \'cmd.exe\'", "and not filter"],
        );
        check(
            75,
            &[r#"process.executable : "*\\whoami.exe""#],
            &[r"process.executable|endswith: '\whoami.exe'"],
        );
        check(18, &["destination.port == 2018"], &["destination.port: 2018"]);
    }

    #[test]
    fn rules_differ_and_repeat() {
        let queries: std::collections::BTreeSet<String> =
            (0..3_000).map(|number| query(&rule(number))).collect();
        assert_eq!(queries.len(), 3_000);
        assert_eq!(rule(77), rule(77));
        let matching = (0..3_000).filter(|number| number % MATCHING_EVERY == MATCHING_EVERY / 2).count();
        assert_eq!(matching, 60);
    }

    #[test]
    fn no_value_has_a_wildcard_or_a_quote() {
        for number in 0..3_000 {
            let rule = rule(number);
            for value in rule.tests.iter().chain(&rule.unless).flat_map(|test| &test.values) {
                assert!(!value.contains(['*', '?', '"', '\'']) && !value.contains(r"\\"), "{value}");
            }
        }
    }
}
