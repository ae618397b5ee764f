//! Times that the user gives, and the clock: the only place of this crate that looks at it.

use std::time::{SystemTime, UNIX_EPOCH};

use maxspan_event::date::{DateFormat, format_millis, parse, parse_bound};

use crate::exit::Failure;

/// The time of the run in nanoseconds since 1970: what `--now` says, else the clock's.
pub(crate) fn now(given: Option<&str>) -> Result<i64, Failure> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
    match given {
        Some(text) => bound("--now", text, clock, false),
        None => Ok(clock),
    }
}

/// The window that `--from` and `--to` give; none where neither is there. An open end has no limit.
pub(crate) fn window(from: Option<&str>, to: Option<&str>, now: i64) -> Result<Option<(i64, i64)>, Failure> {
    if from.is_none() && to.is_none() {
        return Ok(None);
    }
    let start = from.map_or(Ok(i64::MIN), |text| bound("--from", text, now, false))?;
    let end = to.map_or(Ok(i64::MAX), |text| bound("--to", text, now, true))?;
    if start > end {
        let (start, end) = (format_millis(start), format_millis(end));
        return Err(Failure::usage(format!("the window is empty: --from is {start}, --to is {end}")));
    }
    Ok(Some((start, end)))
}

fn bound(flag: &str, text: &str, now: i64, round_up: bool) -> Result<i64, Failure> {
    parse_bound(text, &DateFormat::default(), now, round_up).ok_or_else(|| {
        let examples = "2026-03-10, 2026-03-10T15:00:00Z, now-7d, now-1d/d";
        Failure::usage(format!("{flag} is no time: `{text}`; write for instance {examples}"))
    })
}

/// Seconds between two times as documents write them.
pub(crate) fn seconds_between(earlier: &str, later: &str) -> Option<f64> {
    Some((parse(later)? - parse(earlier)?) as f64 / 1e9)
}
