//! Runs the program and watches how much memory it takes.

use std::io::Read;
use std::process::ChildStdout;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::make::Meanwhile;
use crate::support::Place;

/// What a run gave, and took.
pub(crate) struct Measured {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Peak of the memory in use; 0 where the system does not tell.
    pub(crate) peak_bytes: u64,
    pub(crate) took: Duration,
}

/// Most of the output that is kept, in bytes.
const OUTPUT_BYTES_MAX: u64 = 64 << 20;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs the program to its end; `meanwhile` runs beside it.
pub(crate) fn measured(place: &Place, arguments: &[&str], meanwhile: Meanwhile) -> Measured {
    let started = Instant::now();
    let mut child = place.command(arguments).spawn().expect("the program starts");
    let out = read_beside(child.stdout.take().expect("a pipe"));
    let mut errors = child.stderr.take().expect("a pipe");
    let err = thread::spawn(move || text(&mut errors));
    let folder = place.path().to_owned();
    let beside = thread::spawn(move || meanwhile(&folder));
    let mut peak_bytes = 0;
    // Standard output is closed when the program ends; until then, look at its memory.
    let out = loop {
        match out.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => peak_bytes = peak(child.id()).unwrap_or(peak_bytes),
            received => break received.expect("the output"),
        }
    };
    let status = child.wait().expect("the program ends");
    let took = started.elapsed();
    beside.join().expect("what runs beside");
    let err = err.join().expect("standard error");
    Measured { code: status.code().unwrap_or(-1), out, err, peak_bytes, took }
}

fn read_beside(mut pipe: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(text(&mut pipe)));
    receiver
}

fn text(pipe: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    pipe.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).expect("a pipe that can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `VmHWM`, which Linux keeps: the most memory that was in use at a time.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
