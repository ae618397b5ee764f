//! Software versions in the order of Elasticsearch's `version` field: semantic versions first, a pre-release before
//! its release; what is no version sorts after all that are, as text.

use std::cmp::Ordering;

/// Compares two versions.
///
/// ```
/// use std::cmp::Ordering;
/// use maxspan_event::version::compare;
/// assert_eq!(compare("1.5.0", "1.11.3"), Ordering::Less);
/// assert_eq!(compare("1.2.4-SNAPSHOT", "1.2.4"), Ordering::Less);
/// assert_eq!(compare("9.9.9", "bad"), Ordering::Less);
/// ```
pub fn compare(a: &str, b: &str) -> Ordering {
    match (Parsed::new(a), Parsed::new(b)) {
        (Some(x), Some(y)) => x.compare(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

struct Parsed<'a> {
    numbers: Vec<&'a str>,
    pre_release: Option<&'a str>,
    build: Option<&'a str>,
}

impl<'a> Parsed<'a> {
    /// `major[.minor[.patch[.…]]][-pre][+build]`.
    fn new(text: &'a str) -> Option<Self> {
        let (rest, build) = split(text, '+')?;
        let (rest, pre_release) = split(rest, '-')?;
        let numbers: Vec<&str> = rest.split('.').collect();
        let digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        numbers.iter().all(digits).then_some(Self { numbers, pre_release, build })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let longest = self.numbers.len().max(other.numbers.len());
        for i in 0..longest {
            let number = |parsed: &Self| parsed.numbers.get(i).copied().unwrap_or("0").to_owned();
            let order = compare_digits(&number(self), &number(other));
            if order != Ordering::Equal {
                return order;
            }
        }
        match (self.pre_release, other.pre_release) {
            (None, None) => self.build.cmp(&other.build),
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_identifiers(a, b).then(self.build.cmp(&other.build)),
        }
    }
}

/// Splits off a non-empty suffix; none when the suffix is there but empty or has odd characters.
fn split(text: &str, separator: char) -> Option<(&str, Option<&str>)> {
    let Some((rest, suffix)) = text.split_once(separator) else { return Some((text, None)) };
    let valid = !suffix.is_empty()
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b == b'+');
    valid.then_some((rest, Some(suffix)))
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Numeric identifiers by number and before alphanumeric ones, which compare as text (semver.org, 11.4).
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let order = match (numeric(x), numeric(y)) {
            (true, true) => compare_digits(x, y),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
