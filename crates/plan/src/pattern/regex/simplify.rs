//! Leaves out what can match nothing: sides of `&` whose texts have no length in common, and all that depends on them.
//!
//! It keeps the meaning. What is left often needs no automaton.

use super::Node;

impl Node {
    /// The expression without parts that match nothing.
    pub(super) fn simplified(self) -> Self {
        let all = |nodes: Vec<Self>| nodes.into_iter().map(Self::simplified).collect::<Vec<_>>();
        match self {
            Self::Concat(nodes) => {
                let nodes = all(nodes);
                if nodes.contains(&Self::Nothing) { Self::Nothing } else { Self::Concat(nodes) }
            }
            Self::Alternate(nodes) => {
                let mut nodes = all(nodes);
                nodes.retain(|node| *node != Self::Nothing);
                if nodes.is_empty() { Self::Nothing } else { Self::Alternate(nodes) }
            }
            Self::Intersect(nodes) => {
                let nodes = all(nodes);
                let least = nodes.iter().map(|node| node.lengths().0).max().unwrap_or(0);
                let most = nodes.iter().filter_map(|node| node.lengths().1).min();
                let impossible = nodes.contains(&Self::Nothing) || most.is_some_and(|most| most < least);
                if impossible { Self::Nothing } else { Self::Intersect(nodes) }
            }
            Self::Repeat { node, min, max } => match node.simplified() {
                Self::Nothing if min > 0 => Self::Nothing,
                Self::Nothing => Self::Concat(Vec::new()),
                node => Self::Repeat { node: Box::new(node), min, max },
            },
            Self::Complement(node) => Self::Complement(Box::new(node.simplified())),
            other => other,
        }
    }

    /// Fewest and most characters of the texts that match; no most where there is none.
    fn lengths(&self) -> (usize, Option<usize>) {
        match self {
            Self::Char(_) | Self::AnyChar | Self::Class { .. } => (1, Some(1)),
            Self::Concat(nodes) => {
                nodes.iter().map(Self::lengths).fold((0, Some(0)), |(least, most), (a, b)| {
                    (
                        least.saturating_add(a),
                        most.zip(b).map(|(most, b): (usize, usize)| most.saturating_add(b)),
                    )
                })
            }
            Self::Alternate(nodes) => {
                let lengths: Vec<_> = nodes.iter().map(Self::lengths).collect();
                let least = lengths.iter().map(|(least, _)| *least).min().unwrap_or(0);
                let most: Option<Vec<usize>> = lengths.iter().map(|(_, most)| *most).collect();
                (least, most.map(|most| most.into_iter().max().unwrap_or(0)))
            }
            Self::Repeat { node, min, max } => {
                let (least, most) = node.lengths();
                let most = most.zip(*max).map(|(most, max)| most.saturating_mul(max as usize));
                (least.saturating_mul(*min as usize), most)
            }
            Self::Intersect(_) | Self::Complement(_) | Self::AnyString | Self::Nothing => (0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LuceneRegex;

    #[test]
    fn what_can_match_nothing_is_left_out() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let regex = LuceneRegex::new(pattern, false).unwrap();
            assert_eq!(regex.matches(text), expected, "{pattern} {text}");
        };
        check("(ab&a|c)", "c", true);
        check("(ab&a|c)", "ab", false);
        check("x(ab&a)*y", "xy", true);
        check("a.*&.*b", "ab", true);
        check("ab&a", "ab", false);
        check("~(ab&a)", "anything", true);
    }
}
