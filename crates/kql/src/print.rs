//! A tree back to KQL text.
//!
//! The text parses to the same tree again (spans aside), for every tree that the parser can make: it writes brackets
//! only where the tree needs them, one space around operators, and `field:(a or b)` for values of one field.
//!
//! Trees made elsewhere may hold what KQL cannot write. Such text becomes the nearest thing:
//! unquoted text that would be read as something else (`null`, spaces at an end) is quoted; spaces at an end of
//! wildcard text are lost; a list of one is that one; an empty `And` is `*:*`, an empty `Or` is `not *:*`.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{Literal, LiteralKind, Node, NodeKind, RangeOp};
use crate::parser::{is_space, is_special, is_trimmed, starts_with_keyword};

/// The tree as KQL text.
///
/// ```
/// use maxspan_kql::{ParseOptions, parse, to_kql};
/// let (tree, _) = parse("( a : b )AND c", &ParseOptions::default());
/// assert!(tree.is_none(), "`AND` needs whitespace on both sides");
/// let (tree, _) = parse("( a : b ) AND (c:1 or (c:2))", &ParseOptions::default());
/// assert_eq!(to_kql(&tree.unwrap()), "a:b and c:(1 or 2)");
/// ```
pub fn to_kql(node: &Node) -> String {
    node.to_string()
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Is { field, value } => {
                if let Some(field) = field {
                    write!(f, "{field}:")?;
                }
                value.fmt(f)
            }
            NodeKind::Range { field, op, value } => write!(f, "{field} {op} {value}"),
            NodeKind::And(nodes) => write_list(f, self, nodes, "and"),
            NodeKind::Or(nodes) => write_list(f, self, nodes, "or"),
            NodeKind::Not(node) => {
                f.write_str("not ")?;
                write_inside(f, self, node)
            }
            NodeKind::Nested { path, query } => write!(f, "{path}:{{ {query} }}"),
        }
    }
}

impl Display for RangeOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RangeOp::Less => "<",
            RangeOp::LessOrEqual => "<=",
            RangeOp::Greater => ">",
            RangeOp::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            LiteralKind::Null => f.write_str("null"),
            LiteralKind::Boolean(value) => value.fmt(f),
            LiteralKind::Text(text) if text.is_empty() => f.write_str(EMPTY_TEXT),
            LiteralKind::Text(text) if must_be_quoted(text) => write_quoted(f, text),
            LiteralKind::Text(text) => write_unquoted(f, text, true, true),
            LiteralKind::Quoted(text) => write_quoted(f, text),
            LiteralKind::Wildcard(parts) => write_wildcard(f, parts),
        }
    }
}

/// Unquoted text that is empty after trimming: the one way to write it.
const EMPTY_TEXT: &str = "\\n";

fn write_list(f: &mut Formatter<'_>, list: &Node, nodes: &[Node], keyword: &str) -> fmt::Result {
    if nodes.is_empty() {
        return f.write_str(if keyword == "and" { "*:*" } else { "not *:*" });
    }
    let common = common_field(nodes);
    if let Some(field) = common {
        write!(f, "{field}:(")?;
    }
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            write!(f, " {keyword} ")?;
        }
        match &node.kind {
            NodeKind::Is { value, .. } if common.is_some() => value.fmt(f)?,
            _ if nodes.len() == 1 => node.fmt(f)?,
            _ => write_inside(f, list, node)?,
        }
    }
    if common.is_some() { f.write_char(')') } else { Ok(()) }
}

/// The field that all nodes ask for one value each, if there is one.
fn common_field(nodes: &[Node]) -> Option<&Literal> {
    let field = field_of(nodes.first()?)?;
    let is_common =
        nodes.len() > 1 && nodes.iter().all(|node| field_of(node).is_some_and(|f| f.kind == field.kind));
    is_common.then_some(field)
}

fn field_of(node: &Node) -> Option<&Literal> {
    match &node.kind {
        NodeKind::Is { field, .. } => field.as_ref(),
        _ => None,
    }
}

/// Writes an operand, in brackets where it would otherwise bind differently.
fn write_inside(f: &mut Formatter<'_>, outer: &Node, node: &Node) -> fmt::Result {
    if binding(node) > binding(outer) { node.fmt(f) } else { write!(f, "({node})") }
}

/// How tightly the node's text holds together.
fn binding(node: &Node) -> u8 {
    match &node.kind {
        NodeKind::Or(nodes) if nodes.is_empty() => 2,
        // A list of one is written as that one.
        NodeKind::And(nodes) | NodeKind::Or(nodes) if nodes.len() == 1 => binding(&nodes[0]),
        NodeKind::And(nodes) | NodeKind::Or(nodes) if nodes.is_empty() || common_field(nodes).is_some() => 3,
        NodeKind::Or(_) => 0,
        NodeKind::And(_) => 1,
        NodeKind::Not(_) => 2,
        NodeKind::Is { .. } | NodeKind::Range { .. } | NodeKind::Nested { .. } => 3,
    }
}

fn must_be_quoted(text: &str) -> bool {
    matches!(text, "null" | "true" | "false") || text.starts_with(is_trimmed) || text.ends_with(is_trimmed)
}

fn write_quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            _ => write_character(f, c)?,
        }
    }
    f.write_char('"')
}

fn write_wildcard(f: &mut Formatter<'_>, parts: &[String]) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_char('*')?;
        }
        write_unquoted(f, part, index == 0, index + 1 == parts.len())?;
    }
    Ok(())
}

/// Writes unquoted text. `is_first` and `is_last` say whether something other than `*` may stand before and after
/// it: a keyword there has to be escaped as if it had whitespace around it.
fn write_unquoted(f: &mut Formatter<'_>, text: &str, is_first: bool, is_last: bool) -> fmt::Result {
    let mut after_space = is_first;
    for (start, c) in text.char_indices() {
        if is_keyword(&text[start..], after_space, is_last) {
            write_escaped_keyword(f, c)?;
        } else if is_special(c) {
            write!(f, "\\{c}")?;
        } else {
            write_character(f, c)?;
        }
        after_space = is_space(c);
    }
    Ok(())
}

/// Whether `rest` begins with what the parser would take for a keyword.
fn is_keyword(rest: &str, after_space: bool, is_last: bool) -> bool {
    let starts_with =
        |keyword: &str| starts_with_keyword(rest, keyword) || (is_last && rest.eq_ignore_ascii_case(keyword));
    starts_with("not") || (after_space && (starts_with("and") || starts_with("or")))
}

/// Writes a keyword's first letter so that it is text; `\n` would be a newline.
fn write_escaped_keyword(f: &mut Formatter<'_>, first: char) -> fmt::Result {
    if first == 'n' { f.write_str("\\u006e") } else { write!(f, "\\{first}") }
}

fn write_character(f: &mut Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\n' => f.write_str("\\n"),
        _ => f.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, parse};
    use maxspan_diagnostics::Span;

    fn check(query: &str, expected: &str) {
        let (tree, diagnostics) = parse(query, &ParseOptions::default());
        let tree = tree.unwrap_or_else(|| panic!("{query}: {diagnostics:?}"));
        assert_eq!(to_kql(&tree), expected, "{query}");
    }

    #[test]
    fn brackets_stand_only_where_needed() {
        check("(x:1 and y:2) or z:3", "x:1 and y:2 or z:3");
        check("x:1 and (y:2 or z:3)", "x:1 and (y:2 or z:3)");
        check("(x:1 and y:2) and z:3", "(x:1 and y:2) and z:3");
        check("NOT ((x:1))", "not x:1");
        check("not (not x:1)", "not (not x:1)");
        check("not (x:1 and y:2)", "not (x:1 and y:2)");
        check("x:1 and not y:2", "x:1 and not y:2");
        check("x:(1 or 2) and not x:(3 or 4)", "x:(1 or 2) and not x:(3 or 4)");
        check("x:(1 or (2 and 3))", "x:1 or x:(2 and 3)");
        check("p:{x:1 or y>=2}", "p:{ x:1 or y >= 2 }");
        check("  ", "*:*");
    }

    #[test]
    fn literals_are_escaped() {
        check(r#""a\"b\\c\td""#, r#""a\"b\\c\td""#);
        check(r"path:C\:\\temp\{1\}", r"path:C\:\\temp\{1\}");
        check(r"a \or b", r"a \or b");
        check(r"sl\u006eot x", r"sl\u006eot x");
        check(r"sl\NOT x", r"sl\NOT x");
        check("not", r"\u006eot");
        check("x or", r"x \or");
        check("nothing", "nothing");
        check("x:a*b\\*", "x:a*b\\*");
        check("x:foo not* or y", "x:foo not* or y");
        check(r"x:\n", r"x:\n");
    }

    #[test]
    fn trees_from_elsewhere_become_the_nearest_text() {
        let span = Span::default();
        let literal = |kind| Literal { kind, span };
        let text = |text: &str| literal(LiteralKind::Text(text.to_owned()));
        let is = |value| Node { kind: NodeKind::Is { field: None, value }, span };
        assert_eq!(to_kql(&is(text("null"))), "\"null\"");
        assert_eq!(to_kql(&is(text(" x"))), "\" x\"");
        assert_eq!(to_kql(&is(literal(LiteralKind::Wildcard(vec![" x".to_owned(), String::new()])))), " x*");
        let list = |kind| Node { kind, span };
        assert_eq!(to_kql(&list(NodeKind::And(Vec::new()))), "*:*");
        let not_empty = Node { kind: NodeKind::Not(Box::new(list(NodeKind::Or(Vec::new())))), span };
        assert_eq!(to_kql(&not_empty), "not (not *:*)");
        let one = list(NodeKind::Or(vec![is(text("x"))]));
        assert_eq!(to_kql(&list(NodeKind::And(vec![one, is(text("y"))]))), "x and y");
    }
}
