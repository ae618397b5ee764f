//! Counts tests in the output of `cargo test -- --show-output`, and says which lines of it are worth showing.

use std::fmt;

/// How many tests ended in which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Ignored tests, and `SKIPPED:` lines of tests that passed without doing their work.
    pub(crate) skipped: u64,
    /// Whether the lines are what passed tests printed.
    in_passed_output: bool,
}

impl Summary {
    /// Takes a line of output. Returns whether to show it: what passed tests printed is not shown, except `SKIPPED:`.
    pub(crate) fn read_line(&mut self, line: &str) -> bool {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.in_passed_output = false;
            self.add(counts);
            return true;
        }
        match line {
            "successes:" => self.in_passed_output = true,
            "failures:" => self.in_passed_output = false,
            _ if line.starts_with("SKIPPED:") => {
                self.skipped += 1;
                return true;
            }
            _ => {}
        }
        !self.in_passed_output
    }

    /// Adds the numbers of `ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn add(&mut self, counts: &str) {
        let (_, counts) = counts.split_once(". ").unwrap_or_default();
        for part in counts.split("; ") {
            let (number, kind) = part.split_once(' ').unwrap_or_default();
            let number = number.parse().unwrap_or(0);
            match kind {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    const OUTPUT: &str = "
running 3 tests
test reads_a_pack ... ok
test speaks ... ok
test slow ... ignored

successes:

---- reads_a_pack stdout ----
SKIPPED: no packs

---- speaks stdout ----
many words

successes:
    reads_a_pack
    speaks

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test wrong ... FAILED

successes:

successes:

failures:

---- wrong stdout ----
why it is wrong

failures:
    wrong

test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s
";

    #[test]
    fn counts_are_summed_and_passed_output_is_left_out() {
        let mut summary = Summary::default();
        let shown: Vec<&str> = OUTPUT.lines().filter(|line| summary.read_line(line)).collect();
        assert_eq!(summary.to_string(), "2 passed, 1 failed, 2 skipped");
        assert!(shown.contains(&"SKIPPED: no packs"));
        assert!(shown.contains(&"why it is wrong"));
        assert!(shown.contains(&"test speaks ... ok"));
        assert!(!shown.contains(&"many words"));
    }

    #[test]
    fn lines_that_only_resemble_results_count_nothing() {
        let mut summary = Summary::default();
        for line in
            ["test result: ", "test result: ok", "test result: ok. x passed", " test result: ok. 1 passed"]
        {
            summary.read_line(line);
        }
        assert_eq!(summary, Summary::default());
    }
}
