//! `maxspan completions`: a completion script on standard output.

use std::io::{self, Write as _};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::{Exit, Failure};

pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "maxspan", &mut script);
    io::stdout().lock().write_all(&script).map_err(Failure::output("the script"))?;
    Ok(Exit::Success)
}
