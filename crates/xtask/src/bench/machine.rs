//! What a record says about the machine and the code. What this system does not tell is `unknown`.

use std::fs;
use std::process::Command;

use crate::paths;

/// Processor, cores and memory.
pub(super) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores =
        std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |cores| cores.to_string());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text));
    format!("{cpu}, {cores} cores, {}", memory.unwrap_or_else(|| "unknown memory".to_owned()))
}

/// The load averages: how much else the machine did.
pub(super) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split(' ').take(3).collect();
    if averages.len() == 3 { averages.join(" ") } else { "unknown".to_owned() }
}

/// The commit that was built, and whether files differ from it.
pub(super) fn commit() -> String {
    let commit = first_line("git", &["rev-parse", "--short", "HEAD"]);
    let changed = !first_line("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    if changed { format!("`{commit}`, with changes") } else { format!("`{commit}`") }
}

/// `rustc 1.95.0`
pub(super) fn compiler() -> String {
    first_line("rustc", &["--version"])
}

/// The first line that a tool prints; nothing where there is no such tool.
pub(super) fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(paths::workspace()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gibibytes(text: &str) -> Option<String> {
    let kibibytes: u64 = text.split(' ').next()?.parse().ok()?;
    Some(format!("{} GiB", kibibytes >> 20))
}
