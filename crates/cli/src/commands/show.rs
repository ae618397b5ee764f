//! `maxspan rules show`: one rule as a page.

use std::io::{self, Write as _};

use maxspan_rules::page::page;
use maxspan_rules::to_api_json;

use crate::args::catalog::{ShowArguments, ShowFormat};
use crate::exit::{Exit, Failure};
use crate::output::page::{markdown, text};
use crate::terminal::{self, Paint};
use crate::{find, load};

pub(crate) fn run(arguments: &ShowArguments) -> Result<Exit, Failure> {
    let lock = arguments.version_lock.as_deref();
    let rule = if arguments.paths.is_empty() {
        find::in_file(&arguments.rule, lock, "show")?
    } else {
        find::named(&load::rules(&arguments.paths, &[], true, lock)?, &arguments.rule)?
    };
    let shown = match arguments.format {
        ShowFormat::Text => text(&page(&rule), terminal::prose_width(), Paint::stdout()),
        ShowFormat::Markdown => markdown(&page(&rule)),
        ShowFormat::Json => serde_json::to_string_pretty(&to_api_json(&rule)).unwrap_or_default() + "\n",
    };
    let mut writer = io::stdout().lock();
    let written = writer.write_all(shown.as_bytes()).and_then(|()| writer.flush());
    written.map_err(Failure::output("the page"))?;
    Ok(Exit::Success)
}
