//! Events for the scenarios: unpacked from the shared packs into the cache, once.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;

use crate::bench::programs::Programs;
use crate::paths;

/// The reference pack of throughput.
const WINDOWS: &str = "windows-ecs";

/// How many events of it are the reference input.
const EVENTS: usize = 100_000;

/// The packs of other systems than Windows.
pub(super) const OTHER_PACKS: [&str; 9] = [
    "aws-cloudtrail-raw",
    "ecs-beats-modules",
    "ecs-integrations",
    "ecs-samples",
    "elastic-defend-samples",
    "kibana-es-archives",
    "macos-elastic-defend",
    "macos-jamf-raw",
    "macos-other-ecs",
];

/// A smaller pack is repeated up to this size, so that a run takes long enough to be measured.
const BYTES_MIN: u64 = 100_000_000;

/// A pack as a file.
pub(super) struct Pack {
    pub(super) path: PathBuf,
    /// How often its events stand in the file.
    pub(super) times: usize,
}

/// The first 100,000 events of the reference pack.
pub(super) fn windows(programs: &Programs) -> Result<PathBuf> {
    head(programs, EVENTS)
}

/// All events of the reference pack.
pub(super) fn windows_whole(programs: &Programs) -> Result<PathBuf> {
    head(programs, usize::MAX)
}

/// The first events of the reference pack.
pub(super) fn head(programs: &Programs, events: usize) -> Result<PathBuf> {
    let name = if events == usize::MAX {
        "windows-all.ndjson".to_owned()
    } else {
        format!("windows-{events}.ndjson")
    };
    cached(&programs.path(&name), |output| {
        for line in lines(WINDOWS)?.take(events) {
            output.write_all(line?.as_bytes())?;
            output.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// A file with one event that no rule looks for: a hunt through it is what loading costs.
pub(super) fn one(programs: &Programs) -> Result<PathBuf> {
    cached(&programs.path("one.ndjson"), |output| {
        Ok(output.write_all(b"{\"@timestamp\":\"2026-01-01T00:00:00Z\"}\n")?)
    })
}

/// Some lines of a file.
pub(super) fn piece(programs: &Programs, whole: &Path, begin: usize, end: usize) -> Result<PathBuf> {
    let text = fs::read_to_string(whole).with_context(|| whole.display().to_string())?;
    let path = programs.path("piece.ndjson");
    let piece: String = text.split_inclusive('\n').take(end).skip(begin).collect();
    fs::write(&path, piece).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// A pack, repeated where it is small. Repeated events have `_id`s of their own, since an event that comes twice counts
/// once.
pub(super) fn pack(programs: &Programs, name: &str) -> Result<Pack> {
    let lines: Vec<String> = lines(name)?.collect::<Result<_>>()?;
    let bytes: u64 = lines.iter().map(|line| line.len() as u64 + 1).sum();
    let times = BYTES_MIN.div_ceil(bytes.max(1)).max(1) as usize;
    let path = cached(&programs.path(&format!("{name}.ndjson")), |output| {
        for time in 0..times {
            for line in &lines {
                writeln!(output, "{}", with_own_id(line, time))?;
            }
        }
        Ok(())
    })?;
    Ok(Pack { path, times })
}

/// The event with another `_id` in each repetition but the first.
fn with_own_id(line: &str, time: usize) -> String {
    const KEY: &str = "\"_id\":\"";
    match line.find(KEY) {
        Some(at) if time > 0 => {
            let (before, after) = line.split_at(at + KEY.len());
            format!("{before}{time}-{after}")
        }
        _ => line.to_owned(),
    }
}

fn lines(pack: &str) -> Result<impl Iterator<Item = Result<String>> + use<>> {
    let path = paths::shared().join(format!("data/{pack}.ndjson.gz"));
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines();
    Ok(lines.map(move |line| line.with_context(|| path.display().to_string())))
}

/// Writes a file unless it is there; one that was broken off is not.
pub(super) fn cached(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<PathBuf> {
    if !path.is_file() {
        let begun = path.with_extension("begun");
        let mut output = BufWriter::new(File::create(&begun).with_context(|| begun.display().to_string())?);
        write(&mut output)?;
        output.flush()?;
        fs::rename(&begun, path).with_context(|| path.display().to_string())?;
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::with_own_id;

    #[test]
    fn repeated_events_have_ids_of_their_own() {
        let event = r#"{"_id":"a1","x":1}"#;
        assert_eq!(with_own_id(event, 0), event);
        assert_eq!(with_own_id(event, 3), r#"{"_id":"3-a1","x":1}"#);
        assert_eq!(with_own_id("{}", 3), "{}");
    }
}
