//! Alerts as data: each document on a line of its own, building blocks included.

use std::io;
use std::io::Write as _;

use maxspan_pipeline::hunt::{HuntAlert, HuntStats};
use maxspan_pipeline::rule_base::RuleBase;

use super::{AlertOutput, Writer};

/// Writes each alert as it comes.
pub(crate) struct NdJson {
    writer: Writer,
}

impl NdJson {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer }
    }
}

impl AlertOutput for NdJson {
    fn alert(&mut self, _rules: &RuleBase, alert: &HuntAlert) -> io::Result<()> {
        for part in alert.alert.document.json_parts() {
            self.writer.write_all(part.as_bytes())?;
        }
        self.writer.write_all(b"\n")
    }

    fn finish(&mut self, _rules: &RuleBase, _stats: &HuntStats) -> io::Result<()> {
        self.writer.flush()
    }
}
