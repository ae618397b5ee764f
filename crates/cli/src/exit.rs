//! Exit codes, in one table that `--help` prints, and the errors that end a command.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

/// How the program ends. The number is the exit code and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Rules = 1,
    Usage = 2,
    Input = 3,
    Output = 4,
    Alerts = 10,
}

/// Every exit code and what it says.
const TABLE: [(Exit, &str); 6] = [
    (Exit::Success, "done, with alerts or without"),
    (
        Exit::Rules,
        "a rule failed `rules check`, `convert` or `show`, a case failed `test`, or no rule can be run",
    ),
    (Exit::Usage, "wrong arguments, a path of rules or specs that is not there, a query or spec with errors"),
    (Exit::Input, "no event could be read, or files of a store are damaged"),
    (Exit::Output, "the output could not be written, or what was put aside not be read again"),
    (Exit::Alerts, "`hunt --fail-on-alert`: there are alerts; `rules diff --fail-on-change`: alerts changed"),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table as `--help` shows it.
pub(crate) fn help() -> String {
    let lines: Vec<String> =
        TABLE.iter().map(|(exit, text)| format!("  {:>2}  {text}", *exit as u8)).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// What ends a command before its end.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    pub(crate) fn rules(message: impl Into<String>) -> Self {
        Self { exit: Exit::Rules, error: anyhow::Error::msg(message.into()) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::Error::msg(message.into()) }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self { exit: Exit::Input, error: anyhow::Error::msg(message.into()) }
    }

    /// An output that cannot be written; `name` is what it is called.
    pub(crate) fn output(name: &str) -> impl Fn(io::Error) -> Self {
        move |error| Self {
            exit: Exit::Output,
            error: anyhow::Error::new(error).context(format!("cannot write {name}")),
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.exit == Exit::Output
            && self
                .error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pipe_is_told_from_other_errors() {
        let failure = |kind: ErrorKind| Failure::output("the alerts")(io::Error::from(kind));
        assert!(failure(ErrorKind::BrokenPipe).is_broken_pipe());
        assert!(!failure(ErrorKind::StorageFull).is_broken_pipe());
    }
}
