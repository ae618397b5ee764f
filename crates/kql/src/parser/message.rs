//! What a syntax error says: what is expected, what stands there instead, and a way out where one can be guessed.
//!
//! Works from the text around the failure alone, so that the parser keeps no notes on the way.

use maxspan_diagnostics::{Diagnostic, Span, codes};

use super::literal::{is_space, is_special, starts_with_keyword};

/// How many characters of the text a message repeats at most.
const REPEATED_CHARACTERS_MAX: usize = 32;

/// What the parser could not find.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// An operand of a query.
    Operand,
    /// The same after `not`.
    NegatedOperand,
    /// What comes after `field:`.
    FieldValue,
    /// An entry of `field:( )`.
    ListValue,
    /// The same after `not`.
    NegatedValue,
    /// What comes after `field <`.
    Bound,
    /// The literal that is the whole text.
    Literal,
    /// What comes after something complete.
    After(Place),
}

/// What the parser is inside of, and where its bracket opens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing: the whole query.
    Query,
    /// The whole text is one literal.
    Literal,
    /// `( )`
    Group(usize),
    /// `field:( )`
    List(usize),
    /// `path:{ }`
    Nested(usize),
}

impl Place {
    /// The bracket that ends the place; empty where there is none.
    pub(super) fn closing(self) -> &'static str {
        match self {
            Place::Query | Place::Literal => "",
            Place::Group(_) | Place::List(_) => ")",
            Place::Nested(_) => "}",
        }
    }

    fn opening(self) -> Option<Span> {
        match self {
            Place::Query | Place::Literal => None,
            Place::Group(start) | Place::List(start) | Place::Nested(start) => {
                Some(Span::new(start, start + 1))
            }
        }
    }
}

/// The message for a failure at `offset`. `last_literal` is the literal read last, and whether it stands without a
/// field.
pub(super) fn expected(
    text: &str,
    offset: usize,
    wanted: Wanted,
    last_literal: Option<(Span, bool)>,
) -> Diagnostic {
    let rest = &text[offset..];
    let length = found_length(rest);
    // A literal has to do with the failure when it ends just before it, or is the field of what is missing.
    let before = last_literal.filter(|(span, _)| {
        matches!(wanted, Wanted::FieldValue | Wanted::Bound) || text[span.end..offset].chars().all(is_space)
    });
    let failure = Failure { rest, length, previous: before.map_or("", |(span, _)| span.slice(text)) };
    let can_be_field = before.is_some_and(|(_, bare)| bare);
    let message = format!("expected {}, found {}", wanted_text(wanted, can_be_field), failure.found_text());
    let mut diagnostic = Diagnostic::new(codes::KQL_SYNTAX, Span::new(offset, offset + length), message);
    if let Wanted::After(place) = wanted
        && let Some(opening) = place.opening()
    {
        diagnostic = diagnostic.with_label(opening, "opened here");
    }
    let help = match wanted {
        Wanted::After(place) => Some(failure.help_after(place)),
        _ => failure.help_operand(wanted, &text[..offset]),
    };
    match help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

fn wanted_text(wanted: Wanted, can_be_field: bool) -> String {
    let plain = match wanted {
        Wanted::Operand => "a field, a value, `not` or `(`",
        Wanted::NegatedOperand => "a field, a value or `(`",
        Wanted::FieldValue => "a value, `(` or `{`",
        Wanted::ListValue => "a value, `not` or `(`",
        Wanted::NegatedValue => "a value or `(`",
        Wanted::Bound => "a value to compare with",
        Wanted::Literal => "a value",
        Wanted::After(place) => return after_text(place, can_be_field),
    };
    plain.to_owned()
}

fn after_text(place: Place, can_be_field: bool) -> String {
    let end = match place {
        Place::Query => "the end of the query",
        Place::Literal => return "the end of the value".to_owned(),
        Place::Group(_) | Place::List(_) => "`)`",
        Place::Nested(_) => "`}`",
    };
    let colon = if can_be_field { "`:`, a comparison, " } else { "" };
    format!("{colon}`and`, `or` or {end}")
}

/// How much of the text at a failure is meant: one special character, or the word up to the next one.
fn found_length(rest: &str) -> usize {
    if starts_with_keyword(rest, "not") {
        return "not".len();
    }
    match rest.chars().next() {
        None => 0,
        Some(c) if is_special(c) || is_space(c) => c.len_utf8(),
        Some(_) => rest.find(|c| is_special(c) || is_space(c)).unwrap_or(rest.len()),
    }
}

/// A failure and the text around it.
struct Failure<'t> {
    /// The text from the failure on.
    rest: &'t str,
    /// How much of it is meant.
    length: usize,
    /// The literal just before it, as written; or nothing.
    previous: &'t str,
}

impl Failure<'_> {
    fn found(&self) -> &str {
        &self.rest[..self.length]
    }

    fn found_text(&self) -> String {
        let found = self.found();
        if found.is_empty() {
            return "the end of the text".to_owned();
        }
        if found.chars().all(is_space) { "whitespace".to_owned() } else { format!("`{}`", clipped(found)) }
    }

    /// The way out where an operand or a value should begin.
    fn help_operand(&self, wanted: Wanted, before: &str) -> Option<String> {
        let found = self.found();
        if found.eq_ignore_ascii_case("not") {
            return self.help_not(wanted);
        }
        match found {
            "" => help_missing(wanted, before),
            "\"" => Some(help_unclosed_quote(self.rest)),
            "\\" => Some(help_backslash()),
            "<" | ">" => Some(self.help_comparison(wanted)),
            ":" if wanted == Wanted::Operand => Some("write the name of a field before the colon".to_owned()),
            ":" => Some(help_special(":")),
            "(" if wanted == Wanted::Bound => {
                Some("a comparison takes one value; write one for each: `a > 1 or a > 2`".to_owned())
            }
            ")" | "}" if before.trim_end_matches(is_space).ends_with(['(', '{']) => {
                Some("the brackets hold nothing; write a condition in them, or drop them".to_owned())
            }
            ")" | "}" => help_missing(wanted, before),
            "{" => Some("a nested group stands right after a field: `path:{ field:value }`".to_owned()),
            _ => None,
        }
    }

    fn help_not(&self, wanted: Wanted) -> Option<String> {
        let help = match wanted {
            Wanted::FieldValue => {
                format!("write `not {}:…`: `not` stands before the field", clipped(self.previous))
            }
            Wanted::Bound => {
                format!("write `not {} …`: `not` stands before the field", clipped(self.previous))
            }
            Wanted::NegatedOperand | Wanted::NegatedValue => {
                "only one `not` can stand here; put the second in brackets: `not (not …)`".to_owned()
            }
            Wanted::Literal => "quote the value".to_owned(),
            Wanted::Operand | Wanted::ListValue | Wanted::After(_) => return None,
        };
        Some(help)
    }

    fn help_comparison(&self, wanted: Wanted) -> String {
        let op = if self.rest[1..].starts_with('=') { &self.rest[..2] } else { &self.rest[..1] };
        match wanted {
            Wanted::FieldValue => {
                format!("a comparison has no colon: write `{} {op} …`", clipped(self.previous))
            }
            Wanted::ListValue | Wanted::NegatedValue => {
                format!("a list holds values only; write the field in each comparison: `field {op} …`")
            }
            Wanted::Operand | Wanted::NegatedOperand => {
                format!("write the name of a field before `{op}`, or quote the value")
            }
            Wanted::Bound | Wanted::Literal | Wanted::After(_) => help_special(op),
        }
    }

    /// The way out where something complete is followed by what cannot follow it.
    fn help_after(&self, place: Place) -> String {
        let found = self.found();
        if place == Place::Literal {
            return "to have it all as one value, put it in double quotes".to_owned();
        }
        if starts_with_keyword(self.rest, "not") {
            return self.help_not_inside();
        }
        if let Some(help) = self.help_keyword_without_space() {
            return help;
        }
        match found {
            "" => format!("close the bracket with `{}`", place.closing()),
            "\\" => help_backslash(),
            ")" | "}" if place == Place::Query => format!("no bracket is open here; {}", help_special(found)),
            ")" | "}" => {
                format!("the open bracket is closed by `{}`; {}", place.closing(), help_special(found))
            }
            ":" | "<" | ">" if matches!(place, Place::List(_)) => {
                "a list holds values only; for conditions on other fields close it first, or quote the value"
                    .to_owned()
            }
            ":" | "<" | ">" => help_special(found),
            "{" => "a nested group stands right after a field: `path:{ field:value }`".to_owned(),
            _ => "put `and` or `or` between the two, or put it all into one pair of double quotes".to_owned(),
        }
    }

    fn help_not_inside(&self) -> String {
        if self.previous.is_empty() || self.previous.starts_with('"') {
            return "write `and not` or `or not`".to_owned();
        }
        "a literal ends before `not` followed by a space; quote the value if it is text, or write `and not`"
            .to_owned()
    }

    /// `not(…)`, `x and(…)`, `"x"and y`, `"x" or"y"`
    fn help_keyword_without_space(&self) -> Option<String> {
        let found = self.found();
        let word = match found {
            "(" | "\"" => self.previous.rsplit(is_space).next()?,
            _ => found,
        };
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if is("and") || is("or") {
            return Some(format!("`{word}` needs whitespace on both sides"));
        }
        is("not").then(|| format!("`{word}` needs whitespace after it"))
    }
}

/// The text, or its beginning and an ellipsis.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(REPEATED_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Something must follow and does not.
fn help_missing(wanted: Wanted, before: &str) -> Option<String> {
    let last_word = before.trim_end_matches(is_space).rsplit(|c| is_space(c) || is_special(c)).next()?;
    let is_keyword = ["and", "or", "not"].iter().any(|keyword| last_word.eq_ignore_ascii_case(keyword));
    match wanted {
        Wanted::FieldValue => Some("to ask whether the field is there at all, write `*`".to_owned()),
        Wanted::Operand | Wanted::NegatedOperand | Wanted::ListValue | Wanted::NegatedValue if is_keyword => {
            Some(format!("write a condition after `{last_word}`; quote `\"{last_word}\"` if it is text"))
        }
        _ => None,
    }
}

fn help_unclosed_quote(quoted: &str) -> String {
    if quoted.len() > 2 && quoted.ends_with("\\\"") {
        return "`\\\"` is a quote in the text and does not end it; write `\\\\\"` for a backslash at the end".to_owned();
    }
    "the closing quote is missing; a quote in the text is written `\\\"`".to_owned()
}

fn help_backslash() -> String {
    "double the backslash, or put the value in double quotes".to_owned()
}

fn help_special(found: &str) -> String {
    format!("if `{found}` is part of the text, put the value in double quotes or write `\\{found}`")
}
