//! The binary `maxspan`: Elastic's detection rules over ECS events, without Elasticsearch.
//!
//! This crate has the flags, the files that they name, and what is printed. What an event, a rule or an alert is, and
//! which alerts there are, the libraries say.

mod args;
mod commands;
mod demo;
mod events;
mod exit;
mod find;
mod load;
mod lookups;
mod output;
mod pages;
mod terminal;
mod time;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command, RulesCommand};
use exit::{Exit, Failure};

/// Loading thousands of rules is many small allocations, and the matches of several threads are freed by another one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = run(&Arguments::parse());
    let exit = outcome.unwrap_or_else(|failure| {
        if failure.is_broken_pipe() {
            // Whoever read our output has seen enough; `| head` is no error.
            return Exit::Success;
        }
        terminal::error(&format!("{:#}", failure.error));
        failure.exit
    });
    exit.into()
}

fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Hunt(arguments) => commands::hunt::run(arguments),
        Command::Query(arguments) => commands::query::run(arguments),
        Command::Explain(arguments) => commands::explain::run(arguments),
        Command::Rules { command: RulesCommand::Check(arguments) } => commands::check::run(arguments),
        #[cfg(feature = "store")]
        Command::Import(arguments) => commands::import::run(arguments),
        #[cfg(feature = "store")]
        Command::Export(arguments) => commands::export::run(arguments),
        #[cfg(feature = "store")]
        Command::Store { command } => commands::store::run(command),
        Command::Lookup { command } => commands::lookup::run(command),
        Command::Test(arguments) => commands::test::run(arguments),
        Command::Rules { command: RulesCommand::List(arguments) } => commands::list::run(arguments),
        Command::Rules { command: RulesCommand::Show(arguments) } => commands::show::run(arguments),
        Command::Rules { command: RulesCommand::Coverage(arguments) } => commands::coverage::run(arguments),
        Command::Rules { command: RulesCommand::Convert(arguments) } => commands::convert::run(arguments),
        Command::Rules { command: RulesCommand::Diff(arguments) } => commands::diff::run(arguments),
        Command::Rules { command: RulesCommand::Explain(arguments) } => {
            commands::rules_explain::run(arguments)
        }
        Command::Rules { command: RulesCommand::Profile(arguments) } => {
            commands::rules_profile::run(arguments)
        }
        Command::Demo(arguments) => commands::demo::run(arguments),
        Command::Completions { shell } => commands::completions::run(*shell),
    }
}
