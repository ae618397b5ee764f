//! KEEP, DROP and RENAME: which columns can be seen, and under which names.

use maxspan_diagnostics::codes;
use maxspan_event::wildcard::Wildcard;

use super::{Analysis, Seen};
use crate::ast::{Name, Renaming};

impl Analysis<'_> {
    /// A name goes before a pattern, a pattern before `*`; of equals the last one places the column.
    pub(super) fn keep(&mut self, names: &[Name]) {
        let mut kept: Vec<(Seen, u8)> = Vec::new();
        for name in names {
            let rank = rank(name);
            for place in self.places(name) {
                let seen = self.scope[place].clone();
                let known = kept.iter().position(|(other, _)| other.name == seen.name);
                match known {
                    Some(at) if kept[at].1 > rank => {}
                    Some(at) => {
                        kept.remove(at);
                        kept.push((seen, rank));
                    }
                    None => kept.push((seen, rank)),
                }
            }
        }
        self.scope = kept.into_iter().map(|(seen, _)| seen).collect();
        self.open &= names.iter().any(|name| rank(name) == 0);
    }

    pub(super) fn drop_columns(&mut self, names: &[Name]) {
        let mut dropped = vec![];
        for name in names {
            dropped.extend(self.places(name));
        }
        self.retain(|place| !dropped.contains(&place));
    }

    /// Where in the scope the columns of a name or pattern are.
    fn places(&mut self, name: &Name) -> Vec<usize> {
        if let Some(plain) = name.as_plain() {
            let resolved = self.resolve(name).is_some();
            let place = self.scope.iter().position(|seen| seen.name == plain);
            return place.filter(|_| resolved).into_iter().collect();
        }
        let pattern = Wildcard::from_parts(name.pieces.iter().map(String::as_str), false);
        let places: Vec<usize> = (0..self.scope.len())
            .filter(|place| pattern.matches_all() || pattern.matches(&self.scope[*place].name))
            .collect();
        if places.is_empty() && !pattern.matches_all() && self.schema.unmapped().is_none() {
            let message = format!("no column fits [{}]", name.text());
            self.report(codes::ESQL_UNKNOWN_COLUMN, name.span, message);
        }
        places
    }

    pub(super) fn rename(&mut self, pairs: &[Renaming]) {
        for pair in pairs {
            let (Some(old), new) = (pair.old.as_plain().map(str::to_owned), pair.new.text()) else {
                continue;
            };
            if self.resolve(&pair.old).is_none() || old == new {
                continue;
            }
            self.scope.retain(|seen| seen.name != new);
            if let Some(seen) = self.scope.iter_mut().find(|seen| seen.name == old) {
                seen.name = new;
                self.gone.insert(old);
            }
        }
    }
}

/// How exactly a name chooses columns.
fn rank(name: &Name) -> u8 {
    match name.pieces.as_slice() {
        [_] => 2,
        [before, after] if before.is_empty() && after.is_empty() => 0,
        _ => 1,
    }
}
