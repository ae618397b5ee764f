//! STATS, and assignments as several commands have them.

use super::{Parsed, Parser};
use crate::ast::{Aggregate, Assignment, Stats};
use crate::lexer::TokenKind;

impl Parser<'_> {
    /// `name = expression`, or an expression alone.
    pub(super) fn assignment(&mut self) -> Parsed<Assignment> {
        let name = if self.names_a_value() {
            let name = self.name(false)?;
            self.expect("=")?;
            Some(name)
        } else {
            None
        };
        Ok(Assignment { name, value: self.expression()? })
    }

    /// Whether a name and `=` come next.
    fn names_a_value(&self) -> bool {
        let mut after_dot = true;
        for ahead in 0.. {
            match self.peek_at(ahead).kind {
                TokenKind::Word | TokenKind::Quoted(_) if after_dot => after_dot = false,
                TokenKind::Symbol(".") => after_dot = true,
                TokenKind::Integer | TokenKind::Decimal if ahead > 0 => {}
                TokenKind::Symbol("=") => return ahead > 0,
                _ => return false,
            }
        }
        false
    }

    /// What comes after STATS.
    pub(super) fn stats(&mut self) -> Parsed<Stats> {
        let mut aggregates = Vec::new();
        if !self.at_by() {
            aggregates = self.list(Self::aggregate)?;
        }
        let by = if self.eat_word("by") { self.list(Self::assignment)? } else { Vec::new() };
        Ok(Stats { aggregates, by })
    }

    /// BY, unless it is a name (`by = 1`).
    fn at_by(&self) -> bool {
        self.peek_word("by") && !matches!(self.peek_at(1).kind, TokenKind::Symbol("=" | "."))
    }

    fn aggregate(&mut self) -> Parsed<Aggregate> {
        let assignment = self.assignment()?;
        let filter = if self.eat_word("where") { Some(self.expression()?) } else { None };
        Ok(Aggregate { assignment, filter })
    }
}
