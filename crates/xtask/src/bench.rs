//! `cargo xtask bench`: builds the release binary and its references, runs scenarios with their references in turns, and
//! prints medians, spreads and ratios beside the bars that they are held against. `bench/README.md` explains each.
//!
//! Programs are run as a user runs them; nothing of the product is linked. What a scenario reads or writes lies below
//! `bench/` in the target directory.

mod corpus;
mod generate;
mod inputs;
mod instructions;
mod machine;
mod measure;
mod peers;
mod programs;
mod record;
mod report;
mod scenarios;
mod tenfold;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use crate::paths;

pub(crate) use instructions::run_if_possible as instructions_if_possible;
use programs::Programs;
use report::{Report, Section};
use scenarios::SCENARIOS;

/// How often each program of a scenario runs, unless told.
const RUNS: usize = 5;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request<'a> {
    /// None for all.
    scenarios: Vec<&'a str>,
    runs: usize,
    list: bool,
    record: bool,
}

/// `[SCENARIO…] [--list] [--runs N] [--record]`, or `instructions [--record]`
pub(crate) fn run(options: &[&str]) -> Result<Outcome> {
    let request = read(options)?;
    if request.list {
        print!("{}", list());
        return Ok(Outcome::Passed);
    }
    if request.scenarios == [instructions::NAME] {
        return instructions::run(request.record);
    }
    if let Some(missing) = paths::missing_packs().first() {
        return Ok(Outcome::Skipped(format!("{} is not there", missing.display())));
    }
    let programs = Programs::build()?;
    let before = machine::load();
    let sections = run_scenarios(&request, &programs);
    if request.record {
        let path = record::append(&sections, &request, &programs, &before)?;
        println!("\nrecorded in {}", path.display());
    }
    let failed = sections.iter().any(|section| section.result.is_err());
    Ok(if failed { Outcome::Failed } else { Outcome::Passed })
}

/// Runs what was asked for; a scenario that fails does not stop the others.
fn run_scenarios(request: &Request<'_>, programs: &Programs) -> Vec<Section> {
    let wanted = |name: &str| request.scenarios.is_empty() || request.scenarios.contains(&name);
    let mut sections = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| wanted(scenario.name)) {
        println!("\n==> {}: {}", scenario.name, scenario.about);
        let result: Result<Report> = (scenario.run)(programs, request.runs);
        let section = Section { name: scenario.name, about: scenario.about, result };
        print!("{}", section.text());
        sections.push(section);
    }
    sections
}

fn read<'a>(options: &[&'a str]) -> Result<Request<'a>> {
    let mut request = Request { scenarios: Vec::new(), runs: RUNS, list: false, record: false };
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        match *option {
            "--runs" => {
                let value = rest.next().context("--runs needs a number")?;
                request.runs = value.parse().with_context(|| format!("--runs {value}"))?;
                if request.runs == 0 {
                    bail!("--runs 0 measures nothing");
                }
            }
            "--list" => request.list = true,
            "--record" => request.record = true,
            name if is_scenario(name) => request.scenarios.push(name),
            other => bail!("`bench` does not take `{other}`\n\n{}", list()),
        }
    }
    if request.scenarios.len() > 1 && request.scenarios.contains(&instructions::NAME) {
        bail!("`{}` runs alone", instructions::NAME);
    }
    Ok(request)
}

fn is_scenario(name: &str) -> bool {
    name == instructions::NAME || SCENARIOS.iter().any(|scenario| scenario.name == name)
}

fn list() -> String {
    let lines = SCENARIOS.iter().map(|scenario| format!("{:<13} {}\n", scenario.name, scenario.about));
    let instructions = format!("{:<13} {} (alone)\n", instructions::NAME, instructions::ABOUT);
    format!("Scenarios:\n{}{instructions}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Request, SCENARIOS, list, read};

    #[test]
    fn options_are_read() {
        let check = |options: &[&str], scenarios: Vec<&str>, runs: usize, list: bool, record: bool| {
            let expected = Request { scenarios, runs, list, record };
            assert_eq!(read(options).expect("good options"), expected);
        };
        check(&[], vec![], 5, false, false);
        check(&["corpus", "--runs", "7", "--record"], vec!["corpus"], 7, false, true);
        check(&["--list"], vec![], 5, true, false);
        check(&["instructions", "--record"], vec!["instructions"], 5, false, true);
        for wrong in [&["nothing"][..], &["--runs"], &["--runs", "0"], &["corpus", "instructions"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_list_and_the_readme_name_every_scenario() {
        let readme =
            std::fs::read_to_string(crate::paths::workspace().join("bench/README.md")).expect("there");
        for scenario in &SCENARIOS {
            assert!(list().contains(scenario.about), "{}", scenario.name);
            assert!(readme.contains(&format!("`{}`", scenario.name)), "{}", scenario.name);
        }
    }
}
