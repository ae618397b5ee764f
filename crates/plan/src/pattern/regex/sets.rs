//! A matcher for expressions with complement, intersection and numeric intervals.
//!
//! It computes, for a node and a set of start positions, the set of positions where a match can end. Complement is
//! exact: all ends from the start on but those of the operand.

use super::Node;

/// A set of positions `0..=length`.
type Ends = Vec<bool>;

/// Whether the expression matches the whole text.
pub(super) fn matches(node: &Node, text: &[char]) -> bool {
    let mut start = nowhere(text);
    start[0] = true;
    ends(node, text, &start)[text.len()]
}

/// Where matches that begin at one of `starts` can end.
fn ends(node: &Node, text: &[char], starts: &Ends) -> Ends {
    match node {
        Node::Char(wanted) => step(text, starts, |c| c == *wanted),
        Node::AnyChar => step(text, starts, |_| true),
        Node::Class { negated, ranges } => {
            step(text, starts, |c| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated)
        }
        Node::Concat(nodes) => nodes.iter().fold(starts.clone(), |starts, node| ends(node, text, &starts)),
        Node::Alternate(nodes) => {
            nodes.iter().fold(nowhere(text), |found, node| union(found, &ends(node, text, starts)))
        }
        Node::Repeat { node, min, max } => repeat(node, *min, *max, text, starts),
        Node::AnyString => {
            let first = starts.iter().position(|start| *start).unwrap_or(usize::MAX);
            (0..=text.len()).map(|end| end >= first).collect()
        }
        Node::Nothing => nowhere(text),
        // These depend on where one match began, so each start is looked at by itself.
        Node::Intersect(_) | Node::Complement(_) | Node::Interval { .. } => {
            let begun = starts.iter().enumerate().filter(|(_, set)| **set);
            begun.fold(nowhere(text), |found, (start, _)| union(found, &ends_from(node, text, start)))
        }
    }
}

/// The ends of one match of a node whose operands must begin at the same place.
fn ends_from(node: &Node, text: &[char], start: usize) -> Ends {
    let mut only = nowhere(text);
    only[start] = true;
    match node {
        Node::Complement(inner) => {
            let inner = ends(inner, text, &only);
            inner.iter().enumerate().map(|(end, matched)| end >= start && !matched).collect()
        }
        Node::Intersect(nodes) => {
            let every_end = vec![true; text.len() + 1];
            nodes
                .iter()
                .map(|node| ends(node, text, &only))
                .fold(every_end, |found, ends| found.iter().zip(&ends).map(|(a, b)| *a && *b).collect())
        }
        Node::Interval { min, max, width } => interval(*min, *max, *width, text, start),
        other => ends(other, text, &only),
    }
}

fn interval(min: u64, max: u64, width: Option<usize>, text: &[char], start: usize) -> Ends {
    let mut found = nowhere(text);
    let mut value = 0_u64;
    for (digits, c) in (1..).zip(&text[start..]) {
        let Some(digit) = c.to_digit(10) else { break };
        let Some(next) = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit))) else {
            break;
        };
        value = next;
        found[start + digits] = (min..=max).contains(&value) && width.is_none_or(|width| width == digits);
    }
    found
}

fn repeat(node: &Node, min: u32, max: Option<u32>, text: &[char], starts: &Ends) -> Ends {
    let mut current = starts.clone();
    for _ in 0..min {
        current = ends(node, text, &current);
    }
    let mut found = current.clone();
    // After as many rounds as the text has characters nothing new can be reached.
    let rounds = max.map_or(text.len(), |max| (max - min) as usize);
    for _ in 0..rounds {
        current = ends(node, text, &current);
        let grown = union(found.clone(), &current);
        if grown == found {
            break;
        }
        found = grown;
    }
    found
}

fn step(text: &[char], starts: &Ends, accepts: impl Fn(char) -> bool) -> Ends {
    let mut found = nowhere(text);
    for (position, c) in text.iter().enumerate() {
        found[position + 1] = starts[position] && accepts(*c);
    }
    found
}

fn nowhere(text: &[char]) -> Ends {
    vec![false; text.len() + 1]
}

fn union(mut a: Ends, b: &Ends) -> Ends {
    a.iter_mut().zip(b).for_each(|(a, b)| *a |= *b);
    a
}
