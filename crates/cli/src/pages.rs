//! The pages of `docs/diagnostics`, which `--explain` prints.

use maxspan_diagnostics::Code;

/// The page about a code.
pub(crate) fn page(code: Code) -> &'static str {
    let number = code.info().number;
    PAGES.iter().find(|(known, _)| *known == number).map_or("", |(_, page)| page)
}

/// The pages by number.
const PAGES: &[(u16, &str)] = &[];
