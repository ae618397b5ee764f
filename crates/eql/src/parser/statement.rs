//! Statements: event queries, sequences, samples, their options, and pipes.

use maxspan_diagnostics::{Diagnostic, Span, codes};

use super::{Fatal, Parsed, Parser};
use crate::ast::{
    EventQuery, Expr, ExprKind, Pipe, Query, QueryKind, Runs, SampleQuery, SequenceQuery, Stage, TimeSpan,
};
use crate::lexer::{Token, TokenKind, quoted_text};
use crate::limits::{RUNS_MAX, STAGES_MAX};

/// Fewest queries of a sequence or sample.
const STAGES_MIN: usize = 2;

/// The units of time spans, and their length in milliseconds.
const TIME_UNITS: [(&str, i64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// What is written after `with`, before it is known to be an option of its place.
struct WrittenOption {
    name: Token,
    /// An integer, or a decimal number.
    value: Token,
    /// The word right after the number.
    unit: Option<Token>,
}

impl WrittenOption {
    fn value_span(&self) -> Span {
        self.unit.map_or(self.value.span, |unit| self.value.span.to(unit.span))
    }
}

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let kind = match self.peek() {
            TokenKind::Sequence => QueryKind::Sequence(self.sequence()?),
            TokenKind::Sample => QueryKind::Sample(self.sample()?),
            TokenKind::Join => return Err(self.join()),
            _ => QueryKind::Event(self.event_query()?),
        };
        let pipes = self.pipes()?;
        self.end_of_query(&kind)?;
        Ok(Query { kind, pipes })
    }

    fn end_of_query(&mut self, kind: &QueryKind) -> Parsed<()> {
        let help = match (kind, self.peek()) {
            (_, TokenKind::End) => return Ok(()),
            (QueryKind::Sequence(_), TokenKind::By) => Some("`by` comes before `with runs=…`"),
            (QueryKind::Sequence(_), TokenKind::LeftBracket | TokenKind::MissingBracket) => {
                Some("`until` takes one query and comes last")
            }
            (QueryKind::Sample(_), kind) => sample_has_no(kind),
            (QueryKind::Event(_), TokenKind::By | TokenKind::With | TokenKind::Until) => {
                Some("only a `sequence` has `by`, `with` and `until`")
            }
            _ => None,
        };
        Err(self.mismatch_with_help("the end of the query or a pipe", help.map(str::to_owned)))
    }

    fn join(&mut self) -> Fatal {
        let diagnostic = Diagnostic::new(codes::EQL_UNSUPPORTED, self.bump().span, "Join is not supported");
        diagnostic.with_help("`sample by …` matches events in any order").into()
    }

    fn event_query(&mut self) -> Parsed<EventQuery> {
        Ok(self.event_query_and_height()?.0)
    }

    /// An event query, and the height of its condition's tree.
    pub(super) fn event_query_and_height(&mut self) -> Parsed<(EventQuery, usize)> {
        let token = self.token_at(0);
        let category = match token.kind {
            TokenKind::Any => None,
            TokenKind::Identifier => Some(self.slice(token).to_owned()),
            TokenKind::String => Some(self.string_value(token)),
            TokenKind::QuotedIdentifier => {
                let help = "an event category is not written in backquotes, but in double quotes";
                return Err(self.mismatch_with_help("an event category", Some(help.to_owned())));
            }
            _ if self.next == 0 => {
                return Err(self.mismatch("'any', 'sample', 'sequence' or an event category"));
            }
            _ => return Err(self.mismatch("'any' or an event category")),
        };
        self.bump();
        self.expect(TokenKind::Where, "'where'")?;
        let (condition, height) = self.expression_and_height()?;
        let span = Span::new(token.span.start, self.end_of_last());
        Ok((EventQuery { category, category_span: token.span, condition, span }, height))
    }

    fn sequence(&mut self) -> Parsed<SequenceQuery> {
        let collected_before = self.collected.len();
        let keyword = self.bump();
        let mut by = self.join_keys()?;
        let maxspan = self.maxspan()?;
        if by.is_empty() && self.peek() == TokenKind::By {
            let misplaced = self.token_at(0).span;
            by = self.join_keys()?;
            let message = "Please specify sequence [by] before [with] not after";
            let diagnostic = Diagnostic::new(codes::EQL_OPTION, keyword.span, message);
            self.collect(diagnostic.with_label(misplaced, "after [with]"));
        }
        let mut stages = Vec::new();
        while stages.is_empty() || self.at_stage() {
            stages.push(self.stage_with_runs()?);
        }
        let until = match self.eat(TokenKind::Until) {
            Some(_) => Some(self.until()?),
            None => None,
        };
        let sequence = SequenceQuery { by, maxspan, stages, until, span: keyword.span };
        if self.is_sound_since(collected_before) {
            self.check_sequence(&sequence);
        }
        Ok(sequence)
    }

    fn sample(&mut self) -> Parsed<SampleQuery> {
        let collected_before = self.collected.len();
        let keyword = self.bump();
        let by = self.join_keys()?;
        let mut stages = Vec::new();
        if self.peek() != TokenKind::LeftBracket {
            let help = sample_has_no(self.peek()).map(str::to_owned);
            return Err(self.mismatch_with_help("'by' or '['", help));
        }
        while self.peek() == TokenKind::LeftBracket {
            stages.push(self.stage()?);
        }
        let sample = SampleQuery { by, stages, span: keyword.span };
        if self.is_sound_since(collected_before) {
            self.check_sample(&sample);
        }
        Ok(sample)
    }

    /// Whether the statement is complete and nothing was wrong in it: only then is it checked as a whole.
    fn is_sound_since(&self, collected_before: usize) -> bool {
        let complete = matches!(self.peek(), TokenKind::End | TokenKind::Pipe);
        complete && self.collected.len() == collected_before
    }

    fn at_stage(&self) -> bool {
        matches!(self.peek(), TokenKind::LeftBracket | TokenKind::MissingBracket)
    }

    fn until(&mut self) -> Parsed<Stage> {
        if self.peek() != TokenKind::LeftBracket {
            return Err(self.mismatch("'['"));
        }
        self.stage()
    }

    fn stage_with_runs(&mut self) -> Parsed<Stage> {
        let stage = self.stage()?;
        let runs = self.runs()?;
        let span = Span::new(stage.span.start, self.end_of_last());
        Ok(Stage { runs, span, ..stage })
    }

    fn stage(&mut self) -> Parsed<Stage> {
        if !self.at_stage() {
            return Err(self.mismatch("'by', 'with' or a query in brackets"));
        }
        let opening = self.bump();
        let query = self.event_query()?;
        self.expect(TokenKind::RightBracket, "']' or an operator")?;
        let by = self.join_keys()?;
        let span = Span::new(opening.span.start, self.end_of_last());
        Ok(Stage { missing: opening.kind == TokenKind::MissingBracket, query, by, runs: None, span })
    }

    /// `by key, …`; empty where there is no `by`.
    fn join_keys(&mut self) -> Parsed<Vec<Expr>> {
        let mut keys = Vec::new();
        let mut more = self.eat(TokenKind::By).is_some();
        while more {
            keys.push(self.expression()?);
            more = self.eat(TokenKind::Comma).is_some();
        }
        Ok(keys)
    }

    /// `with name=value`, if it is there.
    fn written_option(&mut self) -> Parsed<Option<WrittenOption>> {
        if self.eat(TokenKind::With).is_none() {
            return Ok(None);
        }
        let name = self.expect(TokenKind::Identifier, "an option")?;
        self.expect(TokenKind::Assign, "'='")?;
        let value = match self.peek() {
            TokenKind::Integer | TokenKind::Decimal => self.bump(),
            _ => return Err(self.mismatch("a number")),
        };
        // A unit follows its number directly: `5 m` is a number without a unit.
        let next = self.token_at(0);
        let adjacent = next.kind == TokenKind::Identifier && next.span.start == value.span.end;
        let unit = if adjacent { Some(self.bump()) } else { None };
        Ok(Some(WrittenOption { name, value, unit }))
    }

    fn unrecognized_option(&mut self, option: &WrittenOption, expected: &str) {
        let name = quoted_text(self.slice(option.name));
        let message = format!("Unrecognized option [{name}], expecting [{expected}]");
        self.collect_plain(codes::EQL_OPTION, option.name.span, message);
    }

    fn maxspan(&mut self) -> Parsed<Option<TimeSpan>> {
        let Some(option) = self.written_option()? else { return Ok(None) };
        if self.slice(option.name) != "maxspan" {
            self.unrecognized_option(&option, "maxspan");
            return Ok(None);
        }
        let span = option.value_span();
        match self.time_span_millis(&option) {
            Ok(millis) => Ok(Some(TimeSpan { millis, span })),
            Err(diagnostic) => {
                self.collect(*diagnostic);
                Ok(None)
            }
        }
    }

    fn time_span_millis(&self, option: &WrittenOption) -> Result<i64, Box<Diagnostic>> {
        let span = option.value_span();
        let number = quoted_text(self.slice(option.value));
        let Some(unit) = option.unit.map(|unit| self.slice(unit)) else {
            let message = format!("No time unit specified, did you mean [s] as in [{number}s]?");
            return Err(Box::new(Diagnostic::new(codes::EQL_TIME_UNIT, span, message)));
        };
        let written = quoted_text(span.slice(self.text));
        let Some((_, unit_millis)) = TIME_UNITS.iter().find(|(name, _)| *name == unit) else {
            let message = format!("Unrecognized time unit [{}] in [{written}]", quoted_text(unit));
            let diagnostic = Diagnostic::new(codes::EQL_TIME_UNIT, span, message);
            return Err(Box::new(diagnostic.with_help("the units are `ms`, `s`, `m`, `h` and `d`")));
        };
        if option.value.kind == TokenKind::Decimal {
            let message = format!("A time span is a whole number, found [{written}]");
            let diagnostic = Diagnostic::new(codes::EQL_TIME_UNIT, span, message);
            return Err(Box::new(diagnostic.with_help("write it in a smaller unit")));
        }
        let count = self.slice(option.value).parse::<i64>().ok();
        match count.and_then(|count| count.checked_mul(*unit_millis)) {
            Some(0) => {
                let message = format!("A positive maxspan value is required; found [{written}]");
                Err(Box::new(Diagnostic::new(codes::EQL_OPTION, span, message)))
            }
            Some(millis) => Ok(millis),
            None => {
                let message = format!("Time span [{written}] is too large");
                Err(Box::new(Diagnostic::new(codes::EQL_NUMBER, span, message)))
            }
        }
    }

    fn runs(&mut self) -> Parsed<Option<Runs>> {
        let Some(option) = self.written_option()? else { return Ok(None) };
        if self.slice(option.name) != "runs" {
            self.unrecognized_option(&option, "runs");
            return Ok(None);
        }
        let span = option.value_span();
        let written = span.slice(self.text);
        let message = match written.parse::<u32>() {
            Ok(count) if (1..=RUNS_MAX).contains(&count) => return Ok(Some(Runs { count, span })),
            Ok(0) => "A positive runs value is required; found [0]".to_owned(),
            _ if option.value.kind == TokenKind::Integer && option.unit.is_none() => {
                format!(
                    "A query cannot be repeated more than {RUNS_MAX} times; found [{}]",
                    quoted_text(written)
                )
            }
            _ => format!("A whole number of runs is required; found [{}]", quoted_text(written)),
        };
        self.collect_plain(codes::EQL_OPTION, span, message);
        Ok(None)
    }

    fn check_sequence(&mut self, sequence: &SequenceQuery) {
        let queries = count_queries(&sequence.stages);
        self.check_count("sequence", queries, sequence.span);
        self.check_keys(&sequence.stages, sequence.until.as_ref());
        let missing = sequence.stages.iter().find(|stage| stage.missing);
        if let (Some(stage), None) = (missing, sequence.maxspan) {
            let message = "[maxspan] is required for sequences with missing events queries; found none";
            let diagnostic = Diagnostic::new(codes::EQL_STAGES, sequence.span, message);
            self.collect(diagnostic.with_label(stage.span, "a missing event"));
        }
        if queries >= STAGES_MIN && sequence.stages.iter().all(|stage| stage.missing) {
            let message = "A sequence requires at least one event that is not missing";
            self.collect_plain(codes::EQL_STAGES, sequence.span, message);
        }
    }

    fn check_sample(&mut self, sample: &SampleQuery) {
        self.check_count("sample", count_queries(&sample.stages), sample.span);
        self.check_keys(&sample.stages, None);
        if sample.by.is_empty() && sample.stages.iter().all(|stage| stage.by.is_empty()) {
            let message = "A sample must have at least one join key, found none";
            self.collect_plain(codes::EQL_STAGES, sample.span, message);
        }
    }

    fn check_count(&mut self, what: &str, queries: usize, span: Span) {
        let message = if queries < STAGES_MIN {
            format!("A {what} requires a minimum of {STAGES_MIN} queries, found [{queries}]")
        } else if queries > STAGES_MAX {
            format!("A {what} cannot contain more than {STAGES_MAX} queries, found [{queries}]")
        } else {
            return;
        };
        self.collect_plain(codes::EQL_STAGES, span, message);
    }

    /// Every stage has as many keys of its own as the first.
    fn check_keys(&mut self, stages: &[Stage], until: Option<&Stage>) {
        let Some(first) = stages.first() else { return };
        let expected = first.by.len();
        for stage in stages.iter().chain(until).filter(|stage| stage.by.len() != expected) {
            let found = stage.by.len();
            let message = format!(
                "Inconsistent number of join keys specified; expected [{expected}] but found [{found}]"
            );
            let diagnostic = Diagnostic::new(codes::EQL_STAGES, stage.span, message);
            self.collect(diagnostic.with_label(first.span, "the first query"));
        }
    }

    fn pipes(&mut self) -> Parsed<Vec<Pipe>> {
        let mut pipes = Vec::new();
        while self.eat(TokenKind::Pipe).is_some() {
            pipes.push(self.pipe()?);
        }
        Ok(pipes)
    }

    fn pipe(&mut self) -> Parsed<Pipe> {
        let token = self.expect(TokenKind::Identifier, "the name of a pipe")?;
        let name = self.slice(token).to_owned();
        if name != "head" && name != "tail" {
            // What follows is another language's business: nothing can be expected of it.
            let message = format!("Pipe [{}] is not supported", quoted_text(&name));
            let diagnostic = Diagnostic::new(codes::EQL_PIPE, token.span, message);
            return Err(diagnostic.with_help("the pipes are `head` and `tail`").into());
        }
        let mut arguments = Vec::new();
        let mut more = !matches!(self.peek(), TokenKind::End | TokenKind::Pipe);
        while more {
            arguments.push(self.expression()?);
            more = self.eat(TokenKind::Comma).is_some();
        }
        let pipe = Pipe { name, name_span: token.span, arguments };
        self.check_pipe(&pipe);
        Ok(pipe)
    }

    fn check_pipe(&mut self, pipe: &Pipe) {
        let name = &pipe.name;
        match pipe.arguments.as_slice() {
            [Expr { kind: ExprKind::Integer(0..), .. }] => {}
            [argument] => {
                let message = format!("Pipe [{name}] takes a number of results, from 0");
                self.collect_plain(codes::EQL_PIPE, argument.span, message);
            }
            arguments => {
                let found = arguments.len();
                let message = format!("Pipe [{name}] takes exactly one argument, found [{found}]");
                let diagnostic = Diagnostic::new(codes::EQL_PIPE, pipe.name_span, message);
                self.collect(diagnostic.with_help(format!("for example `| {name} 5`")));
            }
        }
    }
}

/// What samples do not have, if the token begins it.
fn sample_has_no(kind: TokenKind) -> Option<&'static str> {
    match kind {
        TokenKind::MissingBracket => Some("samples have no missing events"),
        TokenKind::With => Some("samples have no options"),
        TokenKind::Until => Some("samples have no `until`"),
        _ => None,
    }
}

/// The number of queries, each run counted.
fn count_queries(stages: &[Stage]) -> usize {
    stages.iter().map(|stage| stage.runs.map_or(1, |runs| runs.count as usize)).sum()
}
