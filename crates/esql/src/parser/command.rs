//! The commands between the pipes.

use maxspan_diagnostics::{Span, codes, nearest_names};

use super::{Failed, Parsed, Parser};
use crate::ast::{
    CommandKind, Dissect, Enrich, Expr, ExprKind, From, Grok, LookupJoin, Name, Renaming, Setting, SortKey,
    Word,
};
use crate::lexer::TokenKind;

/// Commands that Elasticsearch has and that are not run here.
const UNSUPPORTED: [&str; 14] = [
    "change_point",
    "completion",
    "explain",
    "fork",
    "fuse",
    "highlight",
    "insist",
    "metrics",
    "promql",
    "rerank",
    "sample",
    "show",
    "ts",
    "uri_parts",
];

/// Commands that rows come from.
const SOURCES: [&str; 2] = ["from", "row"];

const COMMANDS: [&str; 16] = [
    "from",
    "row",
    "where",
    "eval",
    "stats",
    "inline",
    "keep",
    "drop",
    "rename",
    "sort",
    "limit",
    "dissect",
    "grok",
    "mv_expand",
    "enrich",
    "lookup",
];

/// What may stand in an index pattern without quotes.
fn is_index_char(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, ',' | '|' | '"' | '=' | '(' | ')' | '[' | ']' | '`' | ';')
}

impl Parser<'_> {
    pub(super) fn command(&mut self, is_first: bool) -> Parsed<CommandKind> {
        let word = self.word("a command")?;
        let name = word.text.to_ascii_lowercase();
        if UNSUPPORTED.contains(&name.as_str()) {
            return Ok(self.unsupported(&word));
        }
        self.check_place(&word, &name, is_first)?;
        Ok(match name.as_str() {
            "from" => CommandKind::From(self.from()?),
            "row" => CommandKind::Row(self.list(Self::assignment)?),
            "where" => CommandKind::Where(self.expression()?),
            "eval" => CommandKind::Eval(self.list(Self::assignment)?),
            "stats" => CommandKind::Stats(self.stats()?),
            "inline" => {
                self.expect_word("stats")?;
                CommandKind::InlineStats(self.stats()?)
            }
            "inlinestats" => CommandKind::InlineStats(self.stats()?),
            "keep" | "project" => CommandKind::Keep(self.list(|parser| parser.name(true))?),
            "drop" => CommandKind::Drop(self.list(|parser| parser.name(true))?),
            "rename" => CommandKind::Rename(self.list(Self::renaming)?),
            "sort" => CommandKind::Sort(self.list(Self::sort_key)?),
            "limit" => CommandKind::Limit(self.expression()?),
            "dissect" => CommandKind::Dissect(self.dissect()?),
            "grok" => CommandKind::Grok(self.grok()?),
            "mv_expand" => CommandKind::MvExpand(self.name(false)?),
            "enrich" => CommandKind::Enrich(self.enrich()?),
            "lookup" => CommandKind::LookupJoin(self.lookup_join()?),
            _ => return self.unknown_command(&word),
        })
    }

    /// Rows come from somewhere, and from one place.
    fn check_place(&mut self, word: &Word, name: &str, is_first: bool) -> Parsed<()> {
        if SOURCES.contains(&name) == is_first || !COMMANDS.contains(&name) {
            return Ok(());
        }
        let message =
            if is_first { "a query begins with FROM or ROW" } else { "FROM and ROW stand at the beginning" };
        self.error(codes::ESQL_SYNTAX, word.span, message, None);
        Err(Failed)
    }

    fn unknown_command<T>(&mut self, word: &Word) -> Parsed<T> {
        let near = nearest_names(&word.text.to_ascii_lowercase(), COMMANDS.iter().copied());
        let help = near.first().map(|name| format!("did you mean `{}`?", name.to_uppercase()));
        let message = format!("there is no command `{}`", super::shortened(&word.text));
        self.error(codes::ESQL_SYNTAX, word.span, message, help.as_deref());
        Err(Failed)
    }

    /// The rest of the command is passed over.
    fn unsupported(&mut self, word: &Word) -> CommandKind {
        let name = word.text.to_uppercase();
        let help = match name.as_str() {
            "COMPLETION" | "RERANK" => "it calls a model, which maxspan never does",
            _ => "the commands that run are listed in the documentation of ES|QL",
        };
        self.error(codes::ESQL_UNSUPPORTED, word.span, format!("{name} is not run"), Some(help));
        self.skip_to_pipe();
        CommandKind::Unsupported(Word { text: name, span: word.span })
    }

    /// `SET name = value;`
    pub(super) fn setting(&mut self) -> Parsed<Setting> {
        self.advance();
        let name = self.word("the name of a setting")?;
        self.expect("=")?;
        let value = self.expression()?;
        self.expect(";")?;
        Ok(Setting { name, value })
    }

    fn from(&mut self) -> Parsed<From> {
        let patterns = self.list(Self::index_pattern)?;
        let bracket = self.eat("[");
        let metadata =
            if self.eat_word("metadata") { self.list(|parser| parser.name(false))? } else { Vec::new() };
        if bracket {
            self.expect("]")?;
        }
        Ok(From { patterns, metadata })
    }

    /// An index pattern in quotes, or as it stands in the text: its characters are no tokens of the language.
    fn index_pattern(&mut self) -> Parsed<Word> {
        if let TokenKind::String(_) = self.token().kind {
            return self.string("an index pattern");
        }
        let start = self.span().start;
        let rest = &self.text[start..];
        let length = rest.find(|c| !is_index_char(c)).unwrap_or(rest.len());
        if length == 0 {
            return self.expected("an index pattern");
        }
        let end = start + length;
        while !self.is_end() && self.span().start < end {
            self.advance();
        }
        Ok(Word { text: self.text[start..end].to_owned(), span: Span::new(start, end) })
    }

    /// `old AS new`, or `new = old`.
    fn renaming(&mut self) -> Parsed<Renaming> {
        let first = self.name(false)?;
        if self.eat("=") {
            return Ok(Renaming { old: self.name(false)?, new: first });
        }
        self.expect_word("as")?;
        Ok(Renaming { old: first, new: self.name(false)? })
    }

    fn sort_key(&mut self) -> Parsed<SortKey> {
        let value = self.expression()?;
        let descending = self.eat_word("desc");
        if !descending {
            self.eat_word("asc");
        }
        let mut nulls_first = None;
        if self.eat_word("nulls") {
            nulls_first = Some(self.eat_word("first"));
            if nulls_first == Some(false) {
                self.expect_word("last")?;
            }
        }
        Ok(SortKey { value, descending, nulls_first })
    }

    fn dissect(&mut self) -> Parsed<Dissect> {
        let input = self.operand()?;
        let pattern = self.string("a pattern in quotes")?;
        let mut append_separator = None;
        if self.eat_word("append_separator") {
            self.expect("=")?;
            append_separator = Some(self.string("the separator in quotes")?);
        }
        Ok(Dissect { input, pattern, append_separator })
    }

    fn grok(&mut self) -> Parsed<Grok> {
        let input = self.operand()?;
        let patterns = self.list(|parser| parser.string("a pattern in quotes"))?;
        Ok(Grok { input, patterns })
    }

    /// What DISSECT and GROK look at: an expression whose end is where the string of the pattern begins.
    fn operand(&mut self) -> Parsed<Expr> {
        self.expression()
    }

    fn enrich(&mut self) -> Parsed<Enrich> {
        let policy = self.index_pattern()?;
        let on = if self.eat_word("on") { Some(self.name(false)?) } else { None };
        let with = if self.eat_word("with") { self.list(Self::enrich_field)? } else { Vec::new() };
        Ok(Enrich { policy, on, with })
    }

    fn enrich_field(&mut self) -> Parsed<(Option<Name>, Name)> {
        let first = self.name(false)?;
        Ok(if self.eat("=") { (Some(first), self.name(false)?) } else { (None, first) })
    }

    fn lookup_join(&mut self) -> Parsed<LookupJoin> {
        self.expect_word("join")?;
        let table = self.index_pattern()?;
        self.expect_word("on")?;
        let conditions = self.list(Self::expression)?;
        let mut on = Vec::new();
        for condition in conditions {
            let ExprKind::Column(name) = condition.kind else {
                let message = "LOOKUP JOIN compares columns of the same name; expressions are not run";
                self.error(
                    codes::ESQL_UNSUPPORTED,
                    condition.span,
                    message,
                    Some("rename the column before"),
                );
                return Err(Failed);
            };
            on.push(name);
        }
        Ok(LookupJoin { table, on })
    }
}
