//! As much of Markdown as links and anchors need.

/// A link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// From 1.
    pub(super) line: usize,
    /// The address, without a title.
    pub(super) target: String,
}

/// The links outside of code, in order.
pub(super) fn links(text: &str) -> Vec<Link> {
    let text = without_code(&without_fences(text));
    let mut links = Vec::new();
    for (at, _) in text.match_indices("](") {
        let rest = &text[at + 2..];
        let Some(end) = closing(rest) else { continue };
        let target = rest[..end].split_whitespace().next().unwrap_or_default();
        let target = target.trim_start_matches('<').trim_end_matches('>').to_owned();
        links.push(Link { line: text[..at].matches('\n').count() + 1, target });
    }
    links
}

/// The anchors of headings, as file browsers and mdBook name them, and those of `id="…"`.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let text = without_fences(text);
    let mut anchors: Vec<String> = Vec::new();
    for heading in text.lines().filter_map(heading) {
        let slug = slug(heading);
        let taken = |name: &str| anchors.iter().any(|one| one == name);
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|name| !taken(name));
        anchors.extend(free);
    }
    let ids = text.split("id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    anchors.extend(ids.map(|(id, _)| id.to_owned()));
    anchors
}

/// Where the parenthesis of a target closes; none where the line ends first.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
    }
    None
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

fn slug(heading: &str) -> String {
    let kept = |character: char| match character {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    link_texts(heading).to_lowercase().chars().filter_map(kept).collect()
}

/// `[text](target)` as `text`.
fn link_texts(text: &str) -> String {
    let Some((before, rest)) = text.split_once("](") else { return text.to_owned() };
    let after = closing(rest).map_or("", |end| &rest[end + 1..]);
    format!("{}{}", before.replacen('[', "", 1), link_texts(after))
}

/// The text with fenced blocks as empty lines.
fn without_fences(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut out = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let marks = &trimmed[..trimmed.len() - trimmed.trim_start_matches('`').len()];
        match fence {
            None if marks.len() >= 3 => fence = Some(marks),
            None => out.push_str(line),
            Some(open) if marks.len() >= open.len() && trimmed.trim_end() == marks => fence = None,
            Some(_) => {}
        }
        out.push('\n');
    }
    out
}

/// The text with blanks for code in lines.
fn without_code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let tail = &rest[start..];
        let length = tail.len() - tail.trim_start_matches('`').len();
        let (fence, inner) = tail.split_at(length);
        out.push_str(&rest[..start]);
        // Code ends within its paragraph, at a run of as many marks.
        let paragraph = inner.split("\n\n").next().unwrap_or_default();
        match end_of_code(paragraph, length) {
            Some(end) => {
                out.extend(inner[..end].chars().filter(|c| *c == '\n'));
                rest = &inner[end + length..];
            }
            None => {
                out.push_str(fence);
                rest = inner;
            }
        }
    }
    out + rest
}

fn end_of_code(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == length {
            return Some(start);
        }
        at = start + run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{anchors, links};

    #[test]
    fn links_are_found_outside_of_code() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            let found: Vec<(usize, String)> =
                links(text).into_iter().map(|link| (link.line, link.target)).collect();
            let expected: Vec<(usize, String)> =
                expected.iter().map(|(line, target)| (*line, (*target).to_owned())).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("[a](b.md) and [c](d.md#e \"title\")", &[(1, "b.md"), (1, "d.md#e")]);
        check("x\n\n[a\nb](c.md)", &[(4, "c.md")]);
        check("[a](<b.md>) [x](y_(z).md)", &[(1, "b.md"), (1, "y_(z).md")]);
        check("`[a](b.md)` ``x ` [a](b.md)`` [c](d.md)", &[(1, "d.md")]);
        check("a ` b [c](d.md)\n\nthe other ` [e](f.md)", &[(1, "d.md"), (3, "f.md")]);
        check("`a\nb` [c](d.md)", &[(2, "d.md")]);
        check("````\n```\n[a](b.md)\n````\n[c](d.md)", &[(5, "d.md")]);
        check("[`code`](a.md)", &[(1, "a.md")]);
    }

    #[test]
    fn anchors_are_those_of_file_browsers() {
        let text =
            "# One, *two*\n## One two\n```\n# no\n```\n### `in~` [x](y.md)\n#no\n<a id=\"here\"></a>\n";
        assert_eq!(anchors(text), ["one-two", "one-two-1", "in-x", "here"]);
    }
}
