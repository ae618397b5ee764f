//! How many threads a run takes.

use std::thread;

use clap::Args;
use maxspan_pipeline::limits::THREADS_MAX;

/// `--threads`
#[derive(Debug, Args)]
pub(crate) struct Threads {
    /// Threads that decode and match events (one for each core unless told otherwise)
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Run")]
    threads: Option<usize>,
}

impl Threads {
    /// How many; what the system allows this process where nothing was said.
    pub(crate) fn count(&self) -> usize {
        self.threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX))
    }
}

fn threads(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=THREADS_MAX).contains(count));
    count.ok_or_else(|| format!("write a number from 1 to {THREADS_MAX}"))
}
