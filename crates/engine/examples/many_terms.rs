//! Time and memory of a hundred million terms of one rule, as one line of JSON.
//!
//! ```sh
//! cargo run --release -p maxspan-engine --example many_terms -- [TERMS] [HISTORY_DAYS] [INTERVAL_MINUTES]
//! ```
//!
//! The state is that of `new_terms` (`LastSeen`): terms of three values, in the order of their time, spread evenly over the
//! history (14 days and runs every 5 minutes unless told). First each is put there. Then terms are looked for that are
//! there, and terms that are not, up to ten million each, in no order; then as many that are there come again a day later.
//! Nanoseconds are means of processor time (`/proc/self/schedstat`, so that other work on the machine counts little), with
//! the digest of the term (`digest_nanos` of it) but without making its text. `bytes_a_term` is what the process had at
//! most (`VmHWM` of `/proc/self/status`), all of it, by terms; `counted_bytes` is what the state says that it has. With
//! `STORED` in the environment, the state is also written to that file and read again.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::time::Instant;

use maxspan_engine::LastSeen;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| {
        arguments.get(at).map_or(default, |text| text.parse().expect("an argument is a number"))
    };
    let (terms, days, minutes) = (number(0, 100_000_000), number(1, 14), number(2, 5));
    let runs = days * 24 * 60 / minutes;
    let mut seen = LastSeen::new(0x5EED);
    let day = (runs / days) as i64;
    let time = |term: u64| 5_000_000 + (u128::from(term) * u128::from(runs) / u128::from(terms)) as i64;

    let looked_for = terms.min(10_000_000);
    // A multiplicative hash: no order.
    let any = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % terms;
    let digest = measure(looked_for, |number, text| {
        made(any(number), text);
        seen.digest(text)
    });
    let put = measure(terms, |term, text| {
        made(term, text);
        u128::from(seen.put(seen.digest(text), time(term)) == Ok(None))
    });
    assert_eq!((put.found, seen.stored() as u64), (u128::from(terms), terms), "no term is taken for another");
    let present = measure(looked_for, |number, text| {
        made(any(number), text);
        u128::from(seen.get(seen.digest(text)) == Some(time(any(number))))
    });
    let absent = measure(looked_for, |number, text| {
        made(terms + number, text);
        u128::from(seen.get(seen.digest(text)).is_none())
    });
    let again = measure(looked_for, |number, text| {
        made(any(number), text);
        u128::from(seen.put(seen.digest(text), time(any(number)) + day).is_ok_and(|there| there.is_some()))
    });
    let all = u128::from(looked_for);
    assert_eq!((present.found, absent.found, again.found), (all, all, all));
    let peak = peak_bytes();
    let stored = std::env::var_os("STORED").map(|path| store(&seen, &path));
    println!(
        "{{\"terms\":{terms},\"times\":{runs},\"peak_bytes\":{peak},\"bytes_a_term\":{:.2},\"counted_bytes\":{},\
         \"put_nanos\":{:.0},\"present_nanos\":{:.0},\"absent_nanos\":{:.0},\
         \"again_nanos\":{:.0},\"digest_nanos\":{:.0}{}}}",
        peak as f64 / terms as f64,
        seen.bytes(),
        put.nanos,
        present.nanos,
        absent.nanos,
        again.nanos,
        digest.nanos,
        stored.unwrap_or_default(),
    );
}

struct Measured {
    nanos: f64,
    found: u128,
}

/// Does something so many times; the time that making texts takes is taken off.
fn measure(count: u64, mut one: impl FnMut(u64, &mut Vec<u8>) -> u128) -> Measured {
    let (mut text, mut found) = (Vec::new(), 0_u128);
    let clock = Clock::start();
    for number in 0..count {
        found = found.wrapping_add(one(number, &mut text));
    }
    let nanos = clock.nanos() / count as f64;
    let (sample, clock, mut bytes) = (count.min(1_000_000), Clock::start(), 0);
    for number in 0..sample {
        made(number, &mut text);
        bytes += text.len();
    }
    std::hint::black_box(bytes);
    Measured { nanos: nanos - clock.nanos() / sample as f64, found }
}

/// Time of the processor; of the clock, where the system does not say it.
struct Clock {
    started: Instant,
    on_processor: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), on_processor: processor_nanos() }
    }

    fn nanos(&self) -> f64 {
        match (self.on_processor, processor_nanos()) {
            (Some(from), Some(to)) => (to - from) as f64,
            _ => self.started.elapsed().as_nanos() as f64,
        }
    }
}

fn processor_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// The three values of a term, as the bytes of a key are.
fn made(term: u64, text: &mut Vec<u8>) {
    text.clear();
    write!(
        text,
        "host-{:05}\0\0C:\\Windows\\System32\\tool-{term}.exe\0\0user-{:03}",
        term % 50_000,
        term % 997
    )
    .expect("a vector takes bytes");
}

/// Most memory that the process had, where the system says it; else 0.
fn peak_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim_end_matches("kB").trim().parse::<u64>().map_or(0, |kibibytes| kibibytes << 10)
}

fn store(seen: &LastSeen, path: &std::ffi::OsStr) -> String {
    let started = Instant::now();
    let mut file = BufWriter::new(File::create(path).expect("the file can be made"));
    seen.write_to(&mut file).and_then(|()| file.flush()).expect("the file takes bytes");
    let wrote = started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(path).expect("the file is there").len();
    let started = Instant::now();
    let mut file = BufReader::new(File::open(path).expect("the file can be read"));
    let read = LastSeen::read_from(&mut file, usize::MAX).expect("the file is what was written");
    assert_eq!(read.stored(), seen.stored());
    let took = started.elapsed().as_secs_f64();
    format!(",\"stored_bytes\":{bytes},\"write_seconds\":{wrote:.1},\"read_seconds\":{took:.1}")
}
