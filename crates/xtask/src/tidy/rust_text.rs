//! Rust source in which comments, literals and tests can be blanked out, so that a search finds code only.
//!
//! Blanking keeps every line in its place. Tests are the items under `#[cfg(test)]`, written exactly so.
//!
//! ```text
//! fs::read(path) // std::fs     →   fs::read(path)
//! let quoted = "std::fs";       →   let quoted =          ;
//! ```

const TEST_ATTRIBUTE: &str = "#[cfg(test)]";

/// What a stretch of source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// The source without comments, the content of literals and tests.
pub(crate) fn code(source: &str) -> String {
    without_tests(source, &blank(source, |piece| piece != Piece::Code))
}

/// The source without comments and tests.
pub(crate) fn code_and_literals(source: &str) -> String {
    without_tests(source, &blank(source, |piece| piece == Piece::Comment))
}

fn blank(source: &str, is_blanked: fn(Piece) -> bool) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut previous = ' ';
    while !rest.is_empty() {
        let (length, piece) = next_piece(rest, previous);
        let (text, after) = rest.split_at(length);
        if is_blanked(piece) {
            push_blanks(&mut out, text);
        } else {
            out.push_str(text);
        }
        previous = text.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    out
}

/// As many bytes as the text has, with its line breaks.
fn push_blanks(out: &mut String, text: &str) {
    out.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}

/// The length in bytes and the kind of what the text begins with.
fn next_piece(text: &str, previous: char) -> (usize, Piece) {
    let first = text.chars().next().map_or(0, char::len_utf8);
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), Piece::Comment);
    }
    if text.starts_with("/*") {
        return (block_comment(text), Piece::Comment);
    }
    if let Some(length) = raw_string(text, previous) {
        return (length, Piece::Literal);
    }
    match text.as_bytes().first() {
        Some(b'"') => (quoted(text, b'"'), Piece::Literal),
        Some(b'\'') if is_character(text) => (quoted(text, b'\''), Piece::Literal),
        _ => (first, Piece::Code),
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of `r"…"`, `br#"…"#` and the like.
fn raw_string(text: &str, previous: char) -> Option<usize> {
    if previous.is_alphanumeric() || previous == '_' {
        return None;
    }
    let after = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let content = after.trim_start_matches('#');
    let hashes = &after[..after.len() - content.len()];
    let content = content.strip_prefix('"')?;
    let end = content.find(&format!("\"{hashes}")).map_or(content.len(), |at| at + 1 + hashes.len());
    Some(text.len() - content.len() + end)
}

fn quoted(text: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        if !escaped && byte == quote {
            return at + 1;
        }
        escaped = !escaped && byte == b'\\';
    }
    text.len()
}

/// Whether an apostrophe begins a character, not a lifetime.
fn is_character(text: &str) -> bool {
    let mut following = text.chars().skip(1);
    let (first, second) = (following.next(), following.next());
    first == Some('\\') || second == Some('\'')
}

/// Blanks the items under the test attribute. `blanked` has the length of the source, so places are the same in both.
fn without_tests(source: &str, blanked: &str) -> String {
    let plain = blank(source, |piece| piece != Piece::Code);
    let mut out = String::with_capacity(blanked.len());
    let mut at = 0;
    while let Some(found) = plain[at..].find(TEST_ATTRIBUTE) {
        let start = at + found;
        let end = start + TEST_ATTRIBUTE.len() + item_length(&plain[start + TEST_ATTRIBUTE.len()..]);
        out.push_str(&blanked[at..start]);
        push_blanks(&mut out, &blanked[start..end]);
        at = end;
    }
    out.push_str(&blanked[at..]);
    out
}

/// Up to the first `;` outside of brackets, or the brace that closes the first one.
fn item_length(plain: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in plain.bytes().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(byte, b'}' | b';') {
            return at + 1;
        }
    }
    plain.len()
}

#[cfg(test)]
mod tests {
    use super::{code, code_and_literals};

    /// Compares up to the amount of white space.
    fn check(source: &str, expected: &str) {
        let found = code(source);
        assert_eq!(
            found.split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
        assert_eq!(found.lines().count(), source.lines().count(), "lines keep their places");
    }

    #[test]
    fn comments_are_blanked() {
        check("a // b\n/* c /* d */ e */ f\n//! g\n", "a f");
        check("let url = \"http://x\"; b // c", "let url = ; b");
    }

    #[test]
    fn literals_are_blanked() {
        check(r#"f("a \" b", 'c', '\'', b"d") "#, "f( , , , b )");
        check("r\"a\\\" + br##\"b \"# c\"## + d", "+ + d");
        check("for 'a in x { 'é' }", "for 'a in x { }");
    }

    #[test]
    fn names_that_end_in_r_are_no_raw_strings() {
        check("bar\"x\" for", "bar for");
    }

    #[test]
    fn tests_are_blanked() {
        check("a\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nc", "a c");
        check("#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;\nc", "c");
        check("// #[cfg(test)]\nfn b() {}", "fn b() {}");
    }

    #[test]
    fn literals_can_be_kept() {
        assert_eq!(code_and_literals("f(\"a\") // b").trim_end(), "f(\"a\")");
    }
}
