//! `--sequence-memory` and `--temp-dir`: where a hunt holds events back.

use std::path::PathBuf;

use clap::Args;
use maxspan_pipeline::hunt::HuntOptions;

/// Where events are held back.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct Held {
    /// Memory for sequences and for what is held back until the end: 512MiB, 2GB (default 96MiB)
    ///
    /// Half of it is for the state of sequences; what is more is dropped and counted. What is held back beyond the rest
    /// goes to a temporary file.
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    pub(crate) sequence_memory: Option<usize>,
    /// Folder of the temporary file for what does not fit in memory (default: the system's)
    #[arg(long, value_name = "DIR")]
    pub(crate) temp_dir: Option<PathBuf>,
}

impl Held {
    /// The options with these flags.
    pub(crate) fn apply(&self, options: HuntOptions) -> HuntOptions {
        HuntOptions {
            sequence_memory: self.sequence_memory.unwrap_or(options.sequence_memory),
            temp_dir: self.temp_dir.clone(),
            ..options
        }
    }
}
