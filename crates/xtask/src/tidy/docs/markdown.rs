//! Links and anchors of a Markdown file.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Where it begins, from 1.
    pub(super) line: usize,
    /// The address, without a title.
    pub(super) target: String,
}

/// The links and pictures, in order.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
            let line = text[..range.start].matches('\n').count() + 1;
            links.push(Link { line, target: dest_url.into_string() });
        }
    }
    links
}

/// The anchors of headings, as file browsers and mdBook name them, and those of `id="…"`.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let free = heading.take().and_then(|text| free_anchor(&slug(&text), &anchors));
                anchors.extend(free);
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let ids = html.split("id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
                anchors.extend(ids.map(|(id, _)| id.to_owned()));
            }
            _ => {}
        }
    }
    anchors
}

/// Of equal headings, the second is `name-1`.
fn free_anchor(slug: &str, taken: &[String]) -> Option<String> {
    let numbered = (1..).map(|number| format!("{slug}-{number}"));
    std::iter::once(slug.to_owned()).chain(numbered).find(|name| !taken.contains(name))
}

fn slug(heading: &str) -> String {
    let kept = |character: char| match character {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.trim().to_lowercase().chars().filter_map(kept).collect()
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
        check("x\n\n[a\nb](c.md) ![d](e.png)", &[(3, "c.md"), (4, "e.png")]);
        check("`[a](b.md)` [c](d.md)", &[(1, "d.md")]);
        check("````\n```\n[a](b.md)\n````\n[c](d.md)", &[(5, "d.md")]);
        check("| a |\n|---|\n| `x \\| y` [`c`](d.md) |\n", &[(3, "d.md")]);
        check("[a][1]\n\n[1]: b.md\n", &[(1, "b.md")]);
    }

    #[test]
    fn anchors_are_those_of_file_browsers() {
        let text =
            "# One, *two*\n## One two\n```\n# no\n```\n### `in~` [x](y.md)\n#no\n\n<a id=\"here\"></a>\n";
        assert_eq!(anchors(text), ["one-two", "one-two-1", "in-x", "here"]);
    }
}
