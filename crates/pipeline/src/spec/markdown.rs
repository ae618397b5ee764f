//! Markdown to sections: each heading with the fenced blocks and link lines below it. Knows nothing of roles.
//!
//! What stands in block quotes is quoted, and passed over.

use std::ops::Range;

use maxspan_diagnostics::Span;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A heading and what is below it, up to the next heading of any level.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// 1 to 6; 0 for what comes before the first heading.
    pub(super) level: u8,
    pub(super) title: String,
    pub(super) span: Span,
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) enum Item {
    Fence(Fence),
    Link(LinkItem),
    /// A line that begins like one with a link, but has none; the path that seems to be meant.
    Unlinked(Span),
}

/// A fenced block.
#[derive(Debug)]
pub(super) struct Fence {
    pub(super) span: Span,
    /// The text after the opening fence, without blanks around it.
    pub(super) info: Span,
    pub(super) content: Span,
    /// The content without indentation, lines ended by `\n`.
    pub(super) text: String,
    pub(super) is_closed: bool,
}

/// A link in a line that begins with a word and a colon.
#[derive(Debug)]
pub(super) struct LinkItem {
    /// `Rule`, `Events` …
    pub(super) word: String,
    pub(super) target: String,
    pub(super) span: Span,
}

/// Words that lines with links begin with.
pub(super) const LINK_WORDS: [&str; 5] = ["Rule", "Rules", "Exceptions", "Exception", "Events"];

/// The sections of a text; the first is what comes before the first heading.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader { text, sections: vec![Section::default()], ..Reader::default() };
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        reader.event(event, range);
    }
    reader.sections
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a str,
    sections: Vec<Section>,
    quotes: usize,
    heading: bool,
    /// The content of the fenced block that is open.
    fence: Option<String>,
    line: Line,
}

/// The line of a paragraph that is being read.
#[derive(Default)]
enum Line {
    /// Not in a paragraph.
    #[default]
    None,
    /// What was read of it before a link, and where it began.
    Text(String, usize),
    /// It began with this word and has a link.
    Links(String),
    /// It is prose.
    Prose,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) | Event::Code(text) => self.text(&text, &range),
            Event::SoftBreak | Event::HardBreak => {
                if self.heading {
                    self.last().title.push(' ');
                }
                self.end_line(range.start);
                self.line = Line::Text(String::new(), range.end);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::BlockQuote(_) => self.quotes += 1,
            _ if self.quotes > 0 => {}
            Tag::Heading { level, .. } => {
                let span = Span::new(range.start, range.end);
                self.sections.push(Section { level: level as u8, span, ..Section::default() });
                self.heading = true;
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => self.fence = Some(String::new()),
            Tag::Paragraph | Tag::Item => self.line = Line::Text(String::new(), range.start),
            Tag::Link { dest_url, .. } if !self.heading => self.link(&dest_url, range),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            _ if self.quotes > 0 => {}
            TagEnd::Heading(_) => {
                self.heading = false;
                let title = self.last().title.trim().to_owned();
                self.last().title = title;
            }
            TagEnd::CodeBlock => {
                if let Some(content) = self.fence.take() {
                    let fence = fence(self.text, range, content);
                    self.last().items.push(Item::Fence(fence));
                }
            }
            TagEnd::Paragraph | TagEnd::Item => {
                self.end_line(range.end);
                self.line = Line::None;
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        if self.quotes > 0 {
            return;
        }
        if let Some(content) = &mut self.fence {
            content.push_str(text);
        } else if self.heading {
            self.last().title.push_str(text);
        } else if let Line::Text(before, start) = &mut self.line {
            if before.is_empty() {
                *start = range.start;
            }
            before.push_str(text);
        }
    }

    fn link(&mut self, target: &str, range: Range<usize>) {
        if let Line::Text(before, _) = &self.line {
            let word = before.trim().strip_suffix(':').and_then(link_word);
            self.line = word.map_or(Line::Prose, |word| Line::Links(word.to_owned()));
        }
        if let Line::Links(word) = &self.line {
            let span = Span::new(range.start, range.end);
            let item = Item::Link(LinkItem { word: word.clone(), target: target.to_owned(), span });
            self.last().items.push(item);
        }
    }

    /// `Rule: ../rule.toml` without a link is a slip, not prose, and so is `Rule: [a](a b.toml)`, which is no link because
    /// of the blank.
    fn end_line(&mut self, end: usize) {
        let Line::Text(text, start) = &self.line else { return };
        let Some((word, rest)) = text.split_once(':') else { return };
        let is_path = |rest: &str| {
            let path = std::path::Path::new(rest);
            let known = ["toml", "ndjson", "json", "gz", "zst"];
            let is_known = |extension: &std::ffi::OsStr| known.iter().any(|one| extension == *one);
            rest.contains("](")
                || !rest.contains(char::is_whitespace) && path.extension().is_some_and(is_known)
        };
        if link_word(word.trim()).is_some() && is_path(rest.trim()) {
            let item = Item::Unlinked(Span::new(*start, end));
            self.last().items.push(item);
        }
    }

    fn last(&mut self) -> &mut Section {
        if self.sections.is_empty() {
            self.sections.push(Section::default());
        }
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }
}

/// The word that a line with links begins with; case does not matter.
fn link_word(text: &str) -> Option<&'static str> {
    LINK_WORDS.into_iter().find(|word| word.eq_ignore_ascii_case(text))
}

/// The parts of a fenced block, by its text.
fn fence(text: &str, range: Range<usize>, content: String) -> Fence {
    let block = text.get(range.clone()).unwrap_or("");
    let block = block.trim_end_matches(['\n', '\r']);
    let first_end = block.find('\n').unwrap_or(block.len());
    let first = block[..first_end].trim_end();
    let marker = first.chars().next().unwrap_or('`');
    let length = first.len() - first.trim_start_matches(marker).len();
    let after = &first[length..];
    let info_start = range.start + length + (after.len() - after.trim_start().len());
    let info = Span::new(info_start.min(range.start + first.len()), range.start + first.len());
    let last_start = block.rfind('\n').map_or(0, |at| at + 1);
    let last = block[last_start..].trim_matches([' ', '\t', '>', '\r']);
    let is_closed =
        last_start > first_end && last.len() >= length && last.chars().all(|character| character == marker);
    let content_start = (range.start + first_end + 1).min(range.end);
    let content_end = if is_closed { range.start + last_start } else { range.end };
    Fence {
        span: Span::new(range.start, range.start + block.len()),
        info,
        content: Span::new(content_start, content_end),
        text: content,
        is_closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut parts = Vec::new();
        for section in sections(text) {
            parts.push(format!("{}:{}", section.level, section.title));
            for item in section.items {
                parts.push(match item {
                    Item::Fence(fence) => {
                        let (info, content) = (fence.info.slice(text), fence.content.slice(text));
                        format!("[{info}|{content:?}|{:?}|{}]", fence.text, fence.is_closed)
                    }
                    Item::Link(link) => format!("<{} {}>", link.word, link.target),
                    Item::Unlinked(span) => format!("?{}", span.slice(text)),
                });
            }
        }
        parts.join(" ")
    }

    #[test]
    fn headings_blocks_and_links_are_found() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text}");
        check("", "0:");
        check("a\n# T `c` *e*\n\nb\n===\n", "0: 1:T c e 1:b");
        check("```ndjson events alerts=1\n{}\n```\n", r#"0: [ndjson events alerts=1|"{}\n"|"{}\n"|true]"#);
        check("~~~~ eql rule \na\n~~~\n~~~~", r#"0: [eql rule|"a\n~~~\n"|"a\n~~~\n"|true]"#);
        check("```a b\nx", r#"0: [a b|"x"|"x"|false]"#);
        check("```a b\n```", r#"0: [a b|""|""|true]"#);
        check("```", r#"0: [|""|""|false]"#);
        check("- ```a b\n  x\n  y\n  ```\n", r#"0: [a b|"  x\n  y\n"|"x\ny\n"|true]"#);
        check("```a b\r\nx\r\n```\r\n", r#"0: [a b|"x\r\n"|"x\n"|true]"#);
        check("    indented\n", "0:");
        check("Rule: [a](b.toml)\nEvents: [c](d), [e](f)\n", "0: <Rule b.toml> <Events d> <Events f>");
        check("- Rules: [a](b.toml)\n- x [c](d)\n", "0: <Rules b.toml>");
        check("A Rule: [a](b.toml)\n", "0:");
        check("rule: [a](b.toml)\n", "0: <Rule b.toml>");
        check("Rule: [a](my rules/b.toml)\n", "0: ?Rule: [a](my rules/b.toml)\n");
        check("Rule: [a](<my rules/b.toml>)\n", "0: <Rule my rules/b.toml>");
        check("**Rule:** [a](b.toml)\n", "0: <Rule b.toml>");
        check("Rule: ../b.toml\n\nRule: a word\n", "0: ?Rule: ../b.toml\n");
        check("> Rule: [a](b)\n> ```a b\n> ```\n", "0:");
        check("---\nRule: x.toml\n---\n# T\n", "0: 1:T");
    }
}
