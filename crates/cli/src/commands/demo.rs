//! `maxspan demo`: our own rules over a made-up afternoon.

use std::fs;
use std::io::{self, BufWriter, Cursor};

use maxspan_event::date;
use maxspan_pipeline::hunt::{Collected, HuntOptions, HuntStats, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::CompileOptions;

use crate::args::{DemoArguments, DemoFormat};
use crate::demo;
use crate::exit::{Exit, Failure};
use crate::output::AlertOutput;
use crate::output::messages::print_diagnostics;
use crate::output::ndjson::NdJson;
use crate::output::person::Person;
use crate::terminal::{self, Paint};

/// The end of the afternoon. A fixed time makes the alerts the same in every run.
const NOW: &str = "2026-03-10T17:00:00Z";

pub(crate) fn run(arguments: &DemoArguments) -> Result<Exit, Failure> {
    let events = demo::events();
    if let Some(path) = &arguments.events {
        let name = format!("the events to {}", path.display());
        fs::write(path, &events).map_err(Failure::output(&name))?;
    }
    let (rules, alerts, stats) = hunted(events);
    print_diagnostics("error", rules.errors());
    let writer = Box::new(BufWriter::new(io::stdout()));
    let mut output: Box<dyn AlertOutput> = match arguments.format {
        DemoFormat::NdJson => Box::new(NdJson::new(writer)),
        DemoFormat::Text => Box::new(Person::new(writer, Paint::stdout(), terminal::prose_width())),
    };
    let written = alerts.alerts.iter().try_for_each(|alert| output.alert(&rules, alert));
    written.and_then(|()| output.finish(&rules, &stats)).map_err(Failure::output("the alerts"))?;
    Ok(Exit::Success)
}

fn hunted(events: String) -> (RuleBase, Collected, HuntStats) {
    let now = date::parse(NOW).unwrap_or_default();
    let compile = CompileOptions { now, ..CompileOptions::default() };
    let rules = RuleBase::new(demo::rules(), &RuleBaseOptions { compile, ..RuleBaseOptions::default() });
    let mut reader = Reader::of_bytes("demo", Cursor::new(events), InputOptions::default());
    let mut alerts = Collected::default();
    let stats = hunt(&rules, &mut reader, &HuntOptions { now, ..HuntOptions::default() }, &mut alerts);
    (rules, alerts, stats)
}
