//! `--watch`: run again what a change concerns.

use super::arguments::TestArguments;
use crate::exit::{Exit, Failure};

pub(super) fn run(_arguments: &TestArguments) -> Result<Exit, Failure> {
    Err(Failure::usage("--watch is not there yet"))
}
