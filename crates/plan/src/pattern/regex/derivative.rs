//! Automata for expressions with complement, intersection and numeric intervals, by derivatives (Brzozowski 1964).
//!
//! The derivative of an expression by a character is what must match the rest of the text. Equal derivatives are one
//! state, so a deterministic automaton comes out, and matching takes one step a character whatever the expression. All
//! states are made when the expression is compiled; more than the limit is an error there, not a surprise later. So is
//! more work than the [`RegexBudget`] has: few states may still be large expressions.

use std::collections::HashMap;

use super::{Node, RegexBudget, RegexError};
use crate::limits::REGEX_STATES_MAX;

/// A deterministic automaton.
#[derive(Debug, Clone)]
pub(super) struct Automaton {
    /// First characters of the classes that the expression tells apart, sorted; the first is NUL.
    starts: Vec<char>,
    /// The state after a character of a class: `state * classes + class`.
    next: Vec<u32>,
    accepting: Vec<bool>,
}

impl Automaton {
    /// Compiles an expression.
    pub(super) fn new(node: &Node, budget: &mut RegexBudget) -> Result<Self, RegexError> {
        let starts = class_starts(node);
        let first = simplified(node.clone());
        let mut states: HashMap<Node, u32> = HashMap::from([(first.clone(), 0)]);
        let mut queue = vec![first];
        let (mut next, mut accepting) = (Vec::new(), Vec::new());
        let mut done = 0;
        while done < queue.len() {
            let state = queue[done].clone();
            accepting.push(nullable(&state));
            for start in &starts {
                let derivative = derivative(&state, *start, budget)?;
                let fresh = states.len() as u32;
                let id = *states.entry(derivative).or_insert_with_key(|node| {
                    queue.push(node.clone());
                    fresh
                });
                next.push(id);
            }
            if states.len() > REGEX_STATES_MAX {
                return Err(RegexError::too_large(format!("needs more than {REGEX_STATES_MAX} states")));
            }
            done += 1;
        }
        Ok(Self { starts, next, accepting })
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut state = 0;
        for c in text.chars() {
            let class = self.starts.partition_point(|start| *start <= c) - 1;
            state = self.next[state * self.starts.len() + class] as usize;
        }
        self.accepting[state]
    }
}

/// Characters that the expression treats alike form a class; these are where classes begin.
fn class_starts(node: &Node) -> Vec<char> {
    let mut starts = vec!['\0'];
    collect_starts(node, &mut starts);
    starts.sort_unstable();
    starts.dedup();
    starts
}

fn collect_starts(node: &Node, starts: &mut Vec<char>) {
    let mut range = |from: char, to: char| {
        starts.push(from);
        starts.extend(after(to));
    };
    match node {
        Node::Char(c) => range(*c, *c),
        Node::Class { ranges, .. } => ranges.iter().for_each(|(from, to)| range(*from, *to)),
        Node::Concat(nodes) | Node::Alternate(nodes) | Node::Intersect(nodes) => {
            for node in nodes {
                collect_starts(node, starts);
            }
        }
        Node::Repeat { node, .. } | Node::Complement(node) => collect_starts(node, starts),
        Node::AnyChar | Node::AnyString | Node::Nothing => {}
    }
}

/// The next character; the gap of the surrogates is skipped.
fn after(c: char) -> Option<char> {
    match c {
        '\u{D7FF}' => Some('\u{E000}'),
        other => char::from_u32(u32::from(other) + 1),
    }
}

fn empty() -> Node {
    Node::Concat(Vec::new())
}

/// Whether the expression matches the empty string.
fn nullable(node: &Node) -> bool {
    match node {
        Node::Char(_) | Node::AnyChar | Node::Class { .. } | Node::Nothing => false,
        Node::AnyString => true,
        Node::Concat(nodes) | Node::Intersect(nodes) => nodes.iter().all(nullable),
        Node::Alternate(nodes) => nodes.iter().any(nullable),
        Node::Repeat { node, min, .. } => *min == 0 || nullable(node),
        Node::Complement(node) => !nullable(node),
    }
}

/// What must match after the character. Each part that is looked at or copied is taken from the budget.
fn derivative(node: &Node, c: char, budget: &mut RegexBudget) -> Result<Node, RegexError> {
    budget.work(1)?;
    let matched = |matches: bool| if matches { empty() } else { Node::Nothing };
    let mut all =
        |nodes: &[Node]| nodes.iter().map(|node| derivative(node, c, budget)).collect::<Result<_, _>>();
    Ok(match node {
        Node::Char(wanted) => matched(*wanted == c),
        Node::AnyChar => empty(),
        Node::Class { negated, ranges } => {
            matched(ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated)
        }
        Node::AnyString => Node::AnyString,
        Node::Nothing => Node::Nothing,
        Node::Concat(nodes) => concat_derivative(nodes, c, budget)?,
        Node::Alternate(nodes) => alternate(all(nodes)?),
        Node::Intersect(nodes) => intersect(all(nodes)?),
        Node::Complement(node) => complement(derivative(node, c, budget)?),
        Node::Repeat { node, min, max } => {
            budget.work(size(node))?;
            let rest = repeat((**node).clone(), min.saturating_sub(1), max.map(|max| max - 1));
            concat(vec![derivative(node, c, budget)?, rest])
        }
    })
}

/// The first part takes the character; where it may be empty, the next one may as well.
fn concat_derivative(nodes: &[Node], c: char, budget: &mut RegexBudget) -> Result<Node, RegexError> {
    let mut ways = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let rest = &nodes[index + 1..];
        budget.work(rest.iter().map(size).sum())?;
        let mut way = vec![derivative(node, c, budget)?];
        way.extend_from_slice(rest);
        ways.push(concat(way));
        if !nullable(node) {
            break;
        }
    }
    Ok(alternate(ways))
}

/// Parts of an expression as it is held, repetitions once.
fn size(node: &Node) -> usize {
    match node {
        Node::Concat(nodes) | Node::Alternate(nodes) | Node::Intersect(nodes) => {
            1 + nodes.iter().map(size).sum::<usize>()
        }
        Node::Repeat { node, .. } | Node::Complement(node) => 1 + size(node),
        Node::Class { ranges, .. } => 1 + ranges.len(),
        Node::Char(_) | Node::AnyChar | Node::AnyString | Node::Nothing => 1,
    }
}

/// The same expression in the form that derivatives are compared in.
fn simplified(node: Node) -> Node {
    let all = |nodes: Vec<Node>| nodes.into_iter().map(simplified).collect();
    match node {
        Node::Concat(nodes) => concat(all(nodes)),
        Node::Alternate(nodes) => alternate(all(nodes)),
        Node::Intersect(nodes) => intersect(all(nodes)),
        Node::Complement(node) => complement(simplified(*node)),
        Node::Repeat { node, min, max } => repeat(simplified(*node), min, max),
        other => other,
    }
}

fn repeat(node: Node, min: u32, max: Option<u32>) -> Node {
    match max {
        Some(0) => empty(),
        Some(1) if min == 1 => node,
        _ if node == Node::AnyChar && min == 0 && max.is_none() => Node::AnyString,
        // Empty rounds are free, so a minimum of them is none.
        _ if nullable(&node) && min > 0 => Node::Repeat { node: Box::new(node), min: 0, max },
        _ => Node::Repeat { node: Box::new(node), min, max },
    }
}

fn concat(nodes: Vec<Node>) -> Node {
    let mut flat = Vec::new();
    for node in nodes {
        match node {
            Node::Nothing => return Node::Nothing,
            Node::Concat(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.dedup_by(|a, b| *a == Node::AnyString && *b == Node::AnyString);
    if flat.len() == 1 { flat.remove(0) } else { Node::Concat(flat) }
}

fn alternate(nodes: Vec<Node>) -> Node {
    let mut flat = Vec::new();
    for node in nodes {
        match node {
            Node::AnyString => return Node::AnyString,
            Node::Nothing => {}
            Node::Alternate(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort_unstable();
    flat.dedup();
    match flat.len() {
        0 => Node::Nothing,
        1 => flat.remove(0),
        _ => Node::Alternate(flat),
    }
}

fn intersect(nodes: Vec<Node>) -> Node {
    let mut flat = Vec::new();
    for node in nodes {
        match node {
            Node::Nothing => return Node::Nothing,
            Node::AnyString => {}
            Node::Intersect(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort_unstable();
    flat.dedup();
    match flat.len() {
        0 => Node::AnyString,
        1 => flat.remove(0),
        _ => Node::Intersect(flat),
    }
}

fn complement(node: Node) -> Node {
    match node {
        Node::Complement(inner) => *inner,
        Node::Nothing => Node::AnyString,
        Node::AnyString => Node::Nothing,
        other => Node::Complement(Box::new(other)),
    }
}
