//! `toml options`: how the rules of a case are compiled and run. Also durations of attributes.

use maxspan_diagnostics::{Diagnostic, Span, codes, nearest_names};
use maxspan_eql::Strictness;
use maxspan_event::date::{DateFormat, parse_bound};
use maxspan_rules::CompileOptions;
use toml::de::{DeTable, DeValue};

use super::document::Block;
use crate::hunt::{HuntOptions, MaxSignals};

/// The options of a case.
#[derive(Debug, Clone)]
pub(crate) struct SpecOptions {
    pub(crate) compile: CompileOptions,
    pub(crate) hunt: HuntOptions,
    pub(crate) normalize: bool,
    pub(crate) any_maturity: bool,
    /// What diagnostics hold EQL to; a hunt is lenient unless it is told.
    pub(crate) checked: Strictness,
    /// The case is also run with its events in other orders.
    pub(crate) any_order: bool,
    /// The block, to tell rule bases apart.
    pub(crate) at: usize,
}

impl Default for SpecOptions {
    fn default() -> Self {
        Self {
            compile: CompileOptions::default(),
            hunt: HuntOptions::default(),
            normalize: true,
            any_maturity: false,
            checked: Strictness::Elasticsearch,
            any_order: false,
            at: usize::MAX,
        }
    }
}

const NAMES: [&str; 12] = [
    "any_maturity",
    "any_order",
    "from",
    "index",
    "max_signals",
    "no_cap",
    "normalize",
    "now",
    "sequence_memory",
    "space",
    "strict",
    "to",
];

/// Reads the block; what cannot be read is reported and left at its default.
pub(super) fn read(block: &Block, diagnostics: &mut Vec<Diagnostic>) -> SpecOptions {
    let mut options = SpecOptions { at: block.span.start, ..SpecOptions::default() };
    let table = match DeTable::parse(&block.text) {
        Ok(table) => table,
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let message = format!("the options are not valid TOML: {message}");
            diagnostics.push(Diagnostic::new(codes::SPEC_CONTENT, block.content, message));
            return options;
        }
    };
    let mut ends = [None, None];
    let mut now = None;
    for (key, value) in table.get_ref() {
        let span = place(block, value.span());
        let outcome = match key.get_ref().as_ref() {
            "now" => text(value.get_ref()).map(|text| now = Some((text, span))),
            "from" => text(value.get_ref()).map(|text| ends[0] = Some((text, span))),
            "to" => text(value.get_ref()).map(|text| ends[1] = Some((text, span))),
            name => set(&mut options, name, value.get_ref()),
        };
        if let Err(message) = outcome {
            diagnostics.push(unusable(key.get_ref(), place(block, key.span()), span, message));
        }
    }
    set_times(&mut options, now.as_ref(), &ends, diagnostics);
    options
}

fn set(options: &mut SpecOptions, name: &str, value: &DeValue<'_>) -> Result<(), &'static str> {
    match name {
        "index" => options.hunt.default_index = text(value)?,
        "space" => options.hunt.space = text(value)?,
        "max_signals" => {
            let count = u32::try_from(integer(value)?).ok().filter(|count| *count > 0);
            options.hunt.max_signals = MaxSignals::Count(count.ok_or("is a whole number above 0")?);
        }
        "no_cap" => {
            if boolean(value)? {
                options.hunt.max_signals = MaxSignals::Unlimited;
            }
        }
        "sequence_memory" => {
            let bytes = usize::try_from(integer(value)?).ok().filter(|bytes| *bytes > 0);
            options.hunt.sequence_memory = bytes.ok_or("is a number of bytes above 0")?;
        }
        "normalize" => options.normalize = boolean(value)?,
        "any_maturity" => options.any_maturity = boolean(value)?,
        "any_order" => options.any_order = boolean(value)?,
        "strict" => {
            let strictness = if boolean(value)? { Strictness::Elasticsearch } else { Strictness::Lenient };
            (options.compile.strictness, options.checked) = (strictness, strictness);
        }
        _ => return Err(""),
    }
    Ok(())
}

/// A message for an option that does not exist (`what` empty) or cannot have its value.
fn unusable(name: &str, key: Span, value: Span, what: &str) -> Diagnostic {
    if !what.is_empty() {
        return Diagnostic::new(codes::SPEC_OPTION, value, format!("`{name}` {what}"));
    }
    let diagnostic = Diagnostic::new(codes::SPEC_OPTION, key, format!("there is no option `{name}`"));
    match nearest_names(name, NAMES).first() {
        Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
        None => diagnostic.with_help(format!("there are {}", NAMES.join(", "))),
    }
}

fn set_times(
    options: &mut SpecOptions,
    now: Option<&(String, Span)>,
    ends: &[Option<(String, Span)>; 2],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut time = |found: Option<&(String, Span)>, now: i64, round_up: bool| {
        let (text, span) = found?;
        let time = parse_bound(text, &DateFormat::default(), now, round_up);
        if time.is_none() {
            diagnostics.push(Diagnostic::new(codes::SPEC_OPTION, *span, format!("`{text}` is no time")));
        }
        time
    };
    if let Some(now) = time(now, 0, false) {
        options.compile.now = now;
        options.hunt.now = now;
    }
    let now = options.compile.now;
    let (from, to) = (time(ends[0].as_ref(), now, false), time(ends[1].as_ref(), now, true));
    if from.is_some() || to.is_some() {
        options.compile.window = Some((from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)));
    }
}

fn place(block: &Block, range: std::ops::Range<usize>) -> Span {
    // The text differs from the file where the block is indented or its lines end in CRLF: then the block is meant.
    if block.text.len() == block.content.end - block.content.start {
        Span::new(range.start, range.end).shifted(block.content.start)
    } else {
        block.content
    }
}

fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Datetime(date) => Ok(date.to_string()),
        _ => Err("is a text"),
    }
}

fn boolean(value: &DeValue<'_>) -> Result<bool, &'static str> {
    value.as_bool().ok_or("is `true` or `false`")
}

fn integer(value: &DeValue<'_>) -> Result<i64, &'static str> {
    let number = value.as_integer().ok_or("is a whole number")?;
    i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| "is a whole number")
}

/// Reads `90s`, `+5m`, `-1h30m`, `250ms` as nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total: i64 = 0;
    while !rest.is_empty() || total == 0 {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: i64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let nanos = match &after[..unit] {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(nanos)?)?;
        rest = &after[unit..];
        if rest.is_empty() {
            break;
        }
    }
    total.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_read() {
        let check = |text: &str, expected: Option<i64>| {
            let millis = duration(text).map(|nanos| nanos / 1_000_000);
            assert_eq!(millis, expected, "{text}");
        };
        check("90s", Some(90_000));
        check("+5m", Some(300_000));
        check("-1h30m", Some(-5_400_000));
        check("1d250ms", Some(86_400_250));
        check("0s", Some(0));
        check("", None);
        check("5", None);
        check("m", None);
        check("5m3", None);
        check("999999999999d", None);
        check("--5m", None);
    }
}
