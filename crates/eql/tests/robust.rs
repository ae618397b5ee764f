//! No text makes the parser panic, loop or answer inconsistently.

use maxspan_diagnostics::Diagnostic;
use maxspan_eql::{ParseOptions, parse_expression, parse_with, unquote};
use proptest::prelude::*;

/// Pieces that queries are made of, whole and broken.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "and", "any", "by", "false", "in", "in~", "join", "like", "like~", "not", "null", "or", "regex", "regex~",
    "sample", "sequence", "true", "until", "where", "with", "maxspan", "runs", "head", "tail", "child of",
    "descendant of", "event of", "process", "a.b", "?c", "@timestamp", "`d e`", "``", "`", "length(", "f~(", "(", ")",
    "[", "![", "]", ",", ".", ":", "|", "=", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "?", "~", "!",
    "0", "42", "5m", "30s", "1.5", ".5", "5e14", "9223372036854775808", "1e999", "\"s\"", "\"\\n\"", "\"\\u{41}\"",
    "\"\\u{0}\"", "\"\\u\"", "\"\\", "\"", "\"\"\"", "\"\"\"r\"\"\"", "'q'", "'", "?\"q\"", "// c\n", "/* c */", "/*",
    "\n", "é", "😀",
];

const QUERIES: &[&str] = &[
    "process where a.b == 1 and not c in (\"x\", \"y\") | head 5",
    "sequence by k, ?l with maxspan=5m [a where x : \"y*\"] by m with runs=2 ![b where true] by n until [c where z] by o",
    "sample by k [any where length(x) > -1] [any where between(a, \"b\", \"c\") like~ (\"d\", \"\"\"e\"\"\")]",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    for lineage in [true, false] {
        let (tree, diagnostics) = parse_with(text, &ParseOptions { lineage });
        check_answer(text, tree.is_some(), &diagnostics)?;
    }
    let (tree, diagnostics) = parse_expression(text);
    check_answer(text, tree.is_some(), &diagnostics)?;
    if let Err(problem) = unquote(text) {
        prop_assert!(text.get(problem.start..problem.end).is_some(), "{problem:?}");
    }
    Ok(())
}

fn check_answer(text: &str, tree: bool, diagnostics: &[Diagnostic]) -> Result<(), TestCaseError> {
    prop_assert_eq!(tree, diagnostics.is_empty());
    for diagnostic in diagnostics {
        let labels = diagnostic.labels.iter().map(|label| label.span);
        for span in labels.chain([diagnostic.span]) {
            prop_assert!(text.get(span.start..span.end).is_some(), "{:?}", diagnostic);
        }
    }
    Ok(())
}

proptest! {
    // A failing text becomes a case of a unit test, not a file beside this one.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn quotes_and_escapes(text in "[\"'`\\\\u{}0-9a-f?\n ]{0,24}") {
        check(&text)?;
    }

    #[test]
    fn any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&pieces.join(" "))?;
        check(&pieces.concat())?;
    }

    #[test]
    fn mutated_queries(
        query in prop::sample::select(QUERIES),
        at in any::<prop::sample::Index>(),
        removed in 0..4_usize,
        piece in prop::sample::select(PIECES),
    ) {
        let mut words: Vec<&str> = query.split_inclusive(' ').collect();
        let start = at.index(words.len());
        let end = (start + removed).min(words.len());
        words.splice(start..end, [piece, " "]);
        check(&words.concat())?;
    }
}
