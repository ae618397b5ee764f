//! "Did you mean": the names nearest to a misspelt one.

/// How many names [`nearest_names`] gives at most.
const NEAREST_MAX: usize = 5;

/// How many edits a misspelling has at most.
const EDITS_MAX: usize = 3;

/// The candidates nearest to `name`, best first, at most five.
///
/// Distance is Damerau–Levenshtein without substring moves (optimal string alignment); a candidate counts when at
/// most a third of the longer name's characters differ, and no more than three.
///
/// ```
/// let known = ["process.name", "process.parent.name", "user.name"];
/// assert_eq!(maxspan_diagnostics::nearest_names("proces.name", known), ["process.name"]);
/// ```
pub fn nearest_names<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let letters = Letters::of(name);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates {
        let edits_max = (name.len().max(candidate.len()) / 3).min(EDITS_MAX);
        if candidate.len().abs_diff(name.len()) > edits_max || !letters.may_be_near(candidate, edits_max) {
            continue;
        }
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        let distance = alignment_distance(&wanted, &other);
        if distance <= edits_max {
            found.push((distance, candidate));
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(NEAREST_MAX).map(|(_, candidate)| candidate).collect()
}

/// How often bytes occur in a name, by their lowest five bits (which are the same for both cases of a letter): a cheap
/// bound that spares most candidates the real distance.
struct Letters {
    counts: [u8; 32],
    bytes: usize,
}

impl Letters {
    fn of(name: &str) -> Self {
        let mut counts = [0_u8; 32];
        for byte in name.bytes() {
            let count = &mut counts[usize::from(byte & 31)];
            *count = count.saturating_add(1);
        }
        Self { counts, bytes: name.len() }
    }

    /// Whether so many edits may turn the name into the other: no letter that is too many, or too few, goes without one.
    fn may_be_near(&self, other: &str, edits_max: usize) -> bool {
        let (mut left, mut too_few) = (self.counts, 0);
        for byte in other.bytes() {
            let count = &mut left[usize::from(byte & 31)];
            too_few += usize::from(*count == 0);
            if too_few > edits_max {
                return false;
            }
            *count = count.saturating_sub(1);
        }
        self.bytes + too_few <= other.len() + edits_max
    }
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn alignment_distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest_names;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let check = |name: &str, expected: &[&str]| {
            assert_eq!(nearest_names(name, ["pid", "ppid", "md5", "process_name"]), expected, "{name}");
        };
        check("pib", &["pid"]);
        check("dip", &[]);
        check("process_nmae", &["process_name"]);
        check("zzz", &[]);
    }
}
