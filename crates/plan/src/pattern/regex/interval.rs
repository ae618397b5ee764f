//! Numeric intervals `<n-m>` as digits: the numbers from n to m, written with as many digits as both bounds have, or
//! with any leading zeros where their lengths differ.

use super::Node;

/// The expression for the numbers `min..=max`; with a width exactly that many digits.
pub(super) fn interval(min: u64, max: u64, width: Option<usize>) -> Node {
    let mut ways = Vec::new();
    match width {
        Some(width) => same_length(&digits(min, width), &digits(max, width), &mut Vec::new(), &mut ways),
        None => {
            for length in min.to_string().len()..=max.to_string().len() {
                let low = digits(
                    min.max(if length == 1 { 0 } else { 10_u64.saturating_pow(length as u32 - 1) }),
                    length,
                );
                let high = digits(max.min(10_u64.saturating_pow(length as u32).saturating_sub(1)), length);
                same_length(&low, &high, &mut Vec::new(), &mut ways);
            }
        }
    }
    let numbers = Node::Alternate(ways);
    if width.is_some() {
        return numbers;
    }
    let zeros = Node::Repeat { node: Box::new(Node::Char('0')), min: 0, max: None };
    Node::Concat(vec![zeros, numbers])
}

fn digits(number: u64, width: usize) -> Vec<u8> {
    format!("{number:0width$}").into_bytes()
}

/// Digit by digit: the lowest first digit with a tight lower rest, the highest with a tight upper rest, and between
/// them any rest.
fn same_length(low: &[u8], high: &[u8], prefix: &mut Vec<Node>, ways: &mut Vec<Node>) {
    let (Some((&first_low, rest_low)), Some((&first_high, rest_high))) =
        (low.split_first(), high.split_first())
    else {
        ways.push(Node::Concat(prefix.clone()));
        return;
    };
    let all_zeros = |rest: &[u8]| rest.iter().all(|digit| *digit == b'0');
    let all_nines = |rest: &[u8]| rest.iter().all(|digit| *digit == b'9');
    let mut part = |from: u8, to: u8, low: &[u8], high: &[u8]| {
        prefix.push(Node::Class { negated: false, ranges: vec![(char::from(from), char::from(to))] });
        if all_zeros(low) && all_nines(high) {
            let any = Node::Class { negated: false, ranges: vec![('0', '9')] };
            let mut way = prefix.clone();
            way.extend(std::iter::repeat_n(any, low.len()));
            ways.push(Node::Concat(way));
        } else {
            same_length(low, high, prefix, ways);
        }
        prefix.pop();
    };
    if first_low == first_high {
        part(first_low, first_low, rest_low, rest_high);
        return;
    }
    let (zeros, nines) = (vec![b'0'; rest_low.len()], vec![b'9'; rest_low.len()]);
    let from = if all_zeros(rest_low) { first_low } else { first_low + 1 };
    let to = if all_nines(rest_high) { first_high } else { first_high - 1 };
    if from > first_low {
        part(first_low, first_low, rest_low, &nines);
    }
    if from <= to {
        part(from, to, &zeros, &nines);
    }
    if to < first_high {
        part(first_high, first_high, &zeros, rest_high);
    }
}
