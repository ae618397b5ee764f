//! Runs the program as a user would.
#![allow(dead_code, reason = "not every test file uses every helper")]
#![allow(unreachable_pub, reason = "shared between test programs")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for one test, and the program in it.
pub struct Place {
    folder: TempDir,
}

/// What a run gave.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
        command.current_dir(self.folder.path()).args(arguments).env_remove("NO_COLOR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program in the folder.
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs the program with this standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Run::of(child.wait_with_output().unwrap())
    }
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code and gives the run on.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(self.code, expected, "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts that standard error has the text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no {text:?} in: {}", self.err);
        self
    }

    /// Asserts that standard output has the text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no {text:?} in: {}", self.out);
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The folder of our rules.
pub fn rules_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")
}

/// The text of one of our rules.
pub fn rule(name: &str) -> String {
    fs::read_to_string(rules_folder().join("macos").join(name)).unwrap()
}

/// A rule on one event: `defaults write … -bool false`.
pub fn defaults_rule() -> String {
    rule("softwareupdate_preferences_modification.toml")
}

pub const DEFAULTS_NAME: &str = "SoftwareUpdate Preferences Modification with Defaults";
pub const DEFAULTS_ID: &str = "88a9685e-e527-47da-9a8c-5e3430d24e23";

/// A rule that every event matches.
pub fn catch_all_rule(id: &str, name: &str, query: &str) -> String {
    format!(
        "[metadata]\nmaturity = \"production\"\n[rule]\nname = \"{name}\"\ndescription = \"D\"\nrule_id = \"{id}\"\n\
         severity = \"low\"\nrisk_score = 21\ntype = \"query\"\nlanguage = \"kuery\"\nindex = [\"logs-*\"]\n\
         query = '''\n{query}\n'''\n"
    )
}

/// An event that the rule of [`defaults_rule`] matches.
pub fn defaults_event(time: &str, host: &str) -> Value {
    json!({
        "@timestamp": time,
        "data_stream": {"type": "logs", "dataset": "endpoint.events.process", "namespace": "default"},
        "event": {"kind": "event", "category": ["process"], "type": ["start"], "ingested": time},
        "host": {"name": host, "id": host, "os": {"type": "macos"}},
        "user": {"name": "root"},
        "process": {
            "name": "defaults",
            "args": ["defaults", "write", "com.apple.SoftwareUpdate", "AutomaticCheckEnabled", "-bool", "false"],
        },
    })
}

/// Events a line.
pub fn ndjson(events: &[Value]) -> String {
    events.iter().map(|event| event.to_string() + "\n").collect()
}
