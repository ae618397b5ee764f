//! How a task ended, where it could end at all (else it gives an error).

/// The end of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The task did all of its work.
    Passed,
    /// The task could not be done here, for this reason. In CI that is a failure.
    Skipped(String),
    /// The task found something wrong and has said what; its last line of output is to stay the last.
    Failed,
}
