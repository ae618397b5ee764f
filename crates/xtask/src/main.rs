//! Developer tasks: `cargo xtask <task>`; without a task, the list of them.

mod bench;
mod book;
mod cargo;
mod ci;
mod codegen;
mod conformance;
mod fuzz;
mod outcome;
mod paths;
mod test;
mod tidy;

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::outcome::Outcome;

/// A task, as the help lists it.
struct Task {
    name: &'static str,
    takes_check: bool,
    about: &'static str,
    run: fn(check: bool) -> Result<Outcome>,
}

const TASKS: [Task; 8] = [
    Task {
        name: "test",
        takes_check: false,
        about: "run all tests and count them",
        run: |_| Ok(test::run()),
    },
    Task { name: "ci", takes_check: false, about: "run everything that CI checks", run: |_| Ok(ci::run()) },
    Task {
        name: "tidy",
        takes_check: false,
        about: "check what compilers do not: dependencies, layers, files, decisions, codes",
        run: |_| tidy::run(),
    },
    Task {
        name: "codegen",
        takes_check: true,
        about: "write the reference pages, and the table of known fields from the shared field lists",
        run: codegen::run,
    },
    Task {
        name: "conformance",
        takes_check: true,
        about: "run the conformance tests and write docs/conformance.md",
        run: conformance::run,
    },
    Task {
        name: "fuzz",
        takes_check: false,
        about: "run the fuzz targets, or [TARGET], for [--seconds N]; [--keep] their corpora",
        run: |_| fuzz::run(&[]),
    },
    Task {
        name: "bench",
        takes_check: false,
        about: "measure against references: [SCENARIO…] [--list] [--runs N] [--record]",
        run: |_| bench::run(&[]),
    },
    Task {
        name: "book",
        takes_check: false,
        about: "build docs/ as a book with mdBook, which is installed where it is missing",
        run: |_| book::run(),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped(reason)) => {
            println!("SKIPPED: {reason}");
            if paths::in_ci() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<Outcome> {
    let (name, options) = match arguments {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h"] => {
            print!("{}", help());
            return Ok(Outcome::Passed);
        }
        [name, options @ ..] => (*name, options),
    };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        bail!("no task is called `{name}`\n\n{}", help());
    };
    match task.name {
        "bench" => return bench::run(options),
        "fuzz" => return fuzz::run(options),
        _ => {}
    }
    let check = match options {
        [] => false,
        ["--check"] if task.takes_check => true,
        _ => bail!("`{name}` does not take `{}`\n\n{}", options.join(" "), help()),
    };
    (task.run)(check)
}

fn help() -> String {
    let mut text = "Usage: cargo xtask <task>\n\nTasks:\n".to_owned();
    for task in &TASKS {
        let call = if task.takes_check { format!("{} [--check]", task.name) } else { task.name.to_owned() };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {call:<22} {}", task.about);
    }
    text += "\n--check compares what is there and writes nothing.\n\
             MAXSPAN_SHARED is the folder of the shared packs (else ../shared). With CI set, nothing may be missing.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::{TASKS, help, run};
    use crate::outcome::Outcome;

    #[test]
    fn help_lists_every_task() {
        assert!(TASKS.iter().all(|task| help().contains(task.about)));
        assert_eq!(run(&["--help"]).expect("help"), Outcome::Passed);
        assert_eq!(run(&["tidy", "--help"]).expect("help"), Outcome::Passed);
    }

    #[test]
    fn unknown_tasks_and_options_are_refused() {
        assert!(run(&["brew"]).is_err_and(|error| error.to_string().contains("`brew`")));
        assert!(run(&["tidy", "--check"]).is_err_and(|error| error.to_string().contains("`--check`")));
    }
}
