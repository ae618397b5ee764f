//! What the conformance tests share: packs, and the record of a result.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// The folder of the packs; none when it is absent, which fails in CI.
pub(crate) fn shared() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("MAXSPAN_SHARED").map_or(default, PathBuf::from);
    if path.join("conformance").is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is not there, and CI must have it", path.display());
    println!("SKIPPED: {} is not there", path.display());
    None
}

/// The lines of an NDJSON file.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The result of one pack.
pub(crate) struct Record {
    name: &'static str,
    title: &'static str,
    bar: &'static str,
    order: u32,
    passed: usize,
    total: usize,
    notes: Vec<String>,
    exceptions: Vec<(String, String)>,
    failures: Vec<(String, String)>,
}

impl Record {
    /// Nothing checked yet. `order` is the place in the published table.
    pub(crate) fn new(order: u32, name: &'static str, title: &'static str, bar: &'static str) -> Self {
        let (notes, exceptions, failures) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, title, bar, order, passed: 0, total: 0, notes, exceptions, failures }
    }

    /// Whether the results are written down, for `cargo xtask conformance`.
    pub(crate) fn is_published() -> bool {
        std::env::var_os("MAXSPAN_CONFORMANCE_OUT").is_some()
    }

    /// Counts one case: an error says what is wrong with it.
    pub(crate) fn case(&mut self, name: impl Into<String>, result: Result<(), String>) {
        self.total += 1;
        match result {
            Ok(()) => self.passed += 1,
            Err(reason) => self.failures.push((name.into(), reason)),
        }
    }

    /// A case that fails for a known reason.
    pub(crate) fn exception(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.total += 1;
        self.exceptions.push((name.into(), reason.into()));
    }

    /// A sentence for the published page.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Writes the record, and fails unless at least `percent` of the cases passed and every other one is explained.
    pub(crate) fn finish(self, percent: f64) {
        println!("{}: {} of {}", self.name, self.passed, self.total);
        for (name, reason) in self.failures.iter().chain(&self.exceptions) {
            println!("  {name}: {reason}");
        }
        self.write();
        assert!(self.total > 0, "{}: nothing was checked", self.name);
        assert!(self.failures.is_empty(), "{}: {} unexplained failures", self.name, self.failures.len());
        let reached = 100.0 * self.passed as f64 / self.total as f64;
        assert!(reached >= percent, "{}: {reached:.2} % is below the bar", self.name);
    }

    fn write(&self) {
        let Some(folder) = std::env::var_os("MAXSPAN_CONFORMANCE_OUT") else { return };
        let pair = |(case, reason): &(String, String)| json!({"case": case, "reason": reason});
        let exceptions: Vec<Value> = self.failures.iter().chain(&self.exceptions).map(pair).collect();
        let record = json!({
            "name": self.name, "title": self.title, "bar": self.bar, "order": self.order,
            "passed": self.passed, "total": self.total, "notes": self.notes, "exceptions": exceptions,
        });
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(format!("{}.json", self.name)), record.to_string()).unwrap();
    }
}
