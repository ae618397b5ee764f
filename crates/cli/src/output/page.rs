//! A rule's page, for a terminal and as Markdown.

use clap::builder::styling::AnsiColor;
use maxspan_rules::document::{Language, ThreatRef};
use maxspan_rules::page::{Block, Page};
use maxspan_rules::query_tokens::{QueryTokenKind, query_tokens};

use super::markdown::markdown_lines;
use crate::terminal::{Paint, printable, wrapped_whole};

/// How far lists and queries are indented.
const INDENT: &str = "  ";

/// The page for a terminal of `width` columns.
pub(crate) fn text(page: &Page, width: usize, paint: Paint) -> String {
    let mut lines = vec![paint.bold(&printable(&page.title)), String::new()];
    let mut after_fact = false;
    for block in &page.blocks {
        let is_fact = matches!(block, Block::Fact(..) | Block::CodeFact(..));
        let is_threat = matches!(block, Block::Threat { .. });
        // Short facts stand together; everything else stands apart.
        let stands_close = is_threat || (is_fact && after_fact);
        let is_apart = lines.last().is_some_and(String::is_empty);
        if !stands_close && !is_apart {
            lines.push(String::new());
        }
        lines.extend(block_lines(block, width, paint));
        after_fact = is_fact;
    }
    lines.join("\n") + "\n"
}

fn block_lines(block: &Block, width: usize, paint: Paint) -> Vec<String> {
    match block {
        Block::Heading(text) => vec![paint.colour(AnsiColor::Blue, &printable(text))],
        Block::Markdown(text) => markdown_lines(text, width, paint),
        Block::Fact(label, text) | Block::CodeFact(label, text) => fact_lines(label, text, width, paint),
        Block::List(label, items) | Block::CodeList(label, items) | Block::Links(label, items) => {
            let mut lines = vec![paint.bold(&format!("{label}:"))];
            for item in items {
                let width = width.saturating_sub(INDENT.len() + 2);
                for (index, line) in wrapped_whole(&printable(item), width).into_iter().enumerate() {
                    lines.push(format!("{INDENT}{} {line}", if index == 0 { "•" } else { " " }));
                }
            }
            lines
        }
        Block::Query { language, text } => query_lines(*language, text, paint),
        Block::Threat { label, depth, reference: ThreatRef { id, name, reference } } => {
            let head = format!("{}{label} {}: {name}", INDENT.repeat(*depth), id);
            let link = format!("{}{reference}", INDENT.repeat(depth + 1));
            vec![printable(&head).into_owned(), paint.dim(&printable(&link))]
        }
    }
}

fn fact_lines(label: &str, text: &str, width: usize, paint: Paint) -> Vec<String> {
    let indent = label.chars().count() + 2;
    let mut lines = wrapped_whole(&printable(text), width.saturating_sub(indent)).into_iter();
    let severity = if label == "Severity" {
        lines.next().map(|name| paint.severity(&name, &name))
    } else {
        lines.next()
    };
    let mut out = vec![format!("{} {}", paint.bold(&format!("{label}:")), severity.unwrap_or_default())];
    out.extend(lines.map(|line| " ".repeat(indent) + &line));
    out
}

/// The query with its colours. Long lines stay whole, so that the query can be copied.
fn query_lines(language: Option<Language>, text: &str, paint: Paint) -> Vec<String> {
    let mut coloured = String::with_capacity(text.len());
    let mut at = 0;
    for token in language.map(|language| query_tokens(language, text)).unwrap_or_default() {
        coloured += &printable_code(&text[at..token.span.start]);
        let piece = printable_code(token.span.slice(text));
        // Colours end with the line, or the indent of the next one would be coloured too.
        let pieces: Vec<String> = piece.split('\n').map(|line| painted(token.kind, line, paint)).collect();
        coloured += &pieces.join("\n");
        at = token.span.end;
    }
    coloured += &printable_code(&text[at..]);
    coloured.lines().map(|line| format!("{INDENT}{line}").trim_end().to_owned()).collect()
}

/// Tabs are wide blanks in queries, and no danger.
fn printable_code(text: &str) -> String {
    printable(&text.replace("\r\n", "\n").replace('\t', "    ")).into_owned()
}

fn painted(kind: QueryTokenKind, text: &str, paint: Paint) -> String {
    match kind {
        QueryTokenKind::Keyword => paint.colour(AnsiColor::Magenta, text),
        QueryTokenKind::Field => paint.colour(AnsiColor::Cyan, text),
        QueryTokenKind::Function => paint.colour(AnsiColor::Blue, text),
        QueryTokenKind::Text => paint.colour(AnsiColor::Green, text),
        QueryTokenKind::Number => paint.colour(AnsiColor::Yellow, text),
        QueryTokenKind::Comment => paint.dim(text),
    }
}

/// The page as a Markdown document.
pub(crate) fn markdown(page: &Page) -> String {
    let mut out = format!("# {}\n", escaped(&page.title));
    let mut before: Option<&Block> = None;
    for block in &page.blocks {
        let is_fact = |block: &Block| matches!(block, Block::Fact(..) | Block::CodeFact(..));
        let is_threat = |block: &Block| matches!(block, Block::Threat { .. });
        let together = before.is_some_and(|before| is_threat(before) && is_threat(block));
        if before.is_some_and(|before| is_fact(before) && is_fact(block)) {
            // Two blanks end a line within a paragraph.
            out.truncate(out.trim_end().len());
            out += "  \n";
        } else if !together {
            out += "\n";
        }
        out += &markdown_block(block);
        before = Some(block);
    }
    out
}

fn markdown_block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("## {}\n", escaped(text)),
        Block::Markdown(text) => format!("{}\n", text.trim_end()),
        Block::Fact(label, text) => format!("**{label}**: {}\n", escaped(text)),
        Block::CodeFact(label, text) => format!("**{label}**: {}\n", code(text)),
        Block::List(label, items) => list(label, items.iter().map(|item| escaped(item))),
        Block::CodeList(label, items) => list(label, items.iter().map(|item| code(item))),
        Block::Links(label, items) => list(
            label,
            items.iter().map(|item| {
                if item.starts_with("http") && !item.contains([' ', '<', '>']) {
                    format!("<{item}>")
                } else {
                    escaped(item)
                }
            }),
        ),
        Block::Query { language, text } => {
            let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
            let name = language.map_or("json", |language| match language {
                Language::Kuery => "kuery",
                other => other.name(),
            });
            format!("{fence}{name}\n{}\n{fence}\n", text.trim_end())
        }
        Block::Threat { label, depth, reference: ThreatRef { id, name, reference } } => {
            format!(
                "{}- {label}: [{} ({})]({reference})\n",
                INDENT.repeat(*depth),
                escaped(name),
                escaped(id)
            )
        }
    }
}

fn list(label: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("- {item}\n")).collect();
    format!("**{label}**:\n\n{}", items.concat())
}

/// Text that means nothing in Markdown.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '|' | '#') {
            out.push('\\');
        }
        out.push(if character == '\n' { ' ' } else { character });
    }
    out
}

/// Text as code, whatever backquotes it has.
pub(crate) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('\n', " "))
}

pub(crate) fn longest_run(text: &str, wanted: char) -> usize {
    let runs = text.split(|character| character != wanted);
    runs.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_safe_in_markdown() {
        assert_eq!(escaped("a*b_[c]|<d>\ne"), "a\\*b\\_\\[c\\]\\|\\<d> e");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
    }
}
