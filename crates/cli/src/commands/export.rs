//! `maxspan export`: events of a store as NDJSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use indicatif::HumanCount;
use maxspan_event::Schema;
use maxspan_pipeline::query::QueryOptions;
use maxspan_pipeline::select::{Choice, Selection, Selector};
use maxspan_store::columns::TIMESTAMP;
use maxspan_store::implied::implied;
use maxspan_store::{EventBatch, ScanRequest, Store, StoredEvent, Streams};
use serde_json::json;

use crate::args::store::ExportArguments;
use crate::events::failure;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::messages::{Messages, print_diagnostics};
use crate::terminal;
use crate::time;

pub(crate) fn run(arguments: &ExportArguments) -> Result<Exit, Failure> {
    let now = time::now(arguments.now.as_deref())?;
    let window = time::window(arguments.from.as_deref(), arguments.to.as_deref(), now)?;
    let selection = selection(arguments, window, now)?;
    let store = Arc::new(Store::open(&arguments.store, arguments.resources.options()).map_err(failure)?);
    let (condition, fields) = selection.condition();
    // Where a mapping reads the time in another way than the store does, its columns say nothing about the window.
    let by_time = Schema::built_in().field(TIMESTAMP);
    let is_known = fields.iter().all(|(_, field)| field.name != TIMESTAMP || *field == by_time);
    let window = window.filter(|_| is_known);
    let request = ScanRequest {
        streams: Streams::new(arguments.index.iter().map(String::as_str)),
        from: window.map(|(from, _)| from).filter(|from| *from != i64::MIN),
        to: window.map(|(_, to)| to).filter(|to| *to != i64::MAX),
        equals: implied(condition, fields, store.layout()),
        ..ScanRequest::default()
    };
    let mut writer = writer(arguments)?;
    let mut exported = Exported { selector: selection.selector(), documents: arguments.documents, events: 0 };
    let mut problems = Messages::new("problem");
    for batch in store.scan(&request).map_err(failure)? {
        match batch {
            Ok(batch) => {
                exported.write(&batch, &mut writer).map_err(Failure::output("the events"))?;
            }
            Err(error) if error.is_about_one_file() => {
                problems.next(|| error.to_string()).iter().for_each(|text| terminal::warning(text));
            }
            Err(error) => return Err(failure(error)),
        }
    }
    writer.flush().map_err(Failure::output("the events"))?;
    problems.rest().iter().for_each(|rest| terminal::say(rest));
    if !arguments.quiet {
        terminal::say(&format!("{} events written", HumanCount(exported.events)));
    }
    Ok(if problems.count() > 0 { Exit::Input } else { Exit::Success })
}

fn selection(
    arguments: &ExportArguments,
    window: Option<(i64, i64)>,
    now: i64,
) -> Result<Selection, Failure> {
    let choice = Choice { condition: arguments.condition.clone(), indices: arguments.index.clone(), window };
    let options = QueryOptions {
        language: arguments.language.into(),
        schema: load::schema(&arguments.mapping, false)?,
        now,
        ..QueryOptions::default()
    };
    Selection::new(&choice, &options).map_err(|error| {
        print_diagnostics("error", error.diagnostics.iter().map(|diagnostic| (&error.source, diagnostic)));
        Failure::usage("the condition has errors")
    })
}

fn writer(arguments: &ExportArguments) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = &arguments.output else { return Ok(Box::new(BufWriter::new(io::stdout().lock()))) };
    let name = format!("the events to {}", path.display());
    let file = File::create(path).map_err(Failure::output(&name))?;
    Ok(Box::new(BufWriter::with_capacity(1 << 20, file)))
}

/// Events on their way out.
struct Exported<'a> {
    selector: Selector<'a>,
    documents: bool,
    events: u64,
}

impl Exported<'_> {
    fn write(&mut self, batch: &EventBatch, writer: &mut dyn Write) -> io::Result<()> {
        for event in batch.iter() {
            // What could be stored can be decoded; should that change, nothing is kept back.
            if self.selector.chooses(event.index, event.source).unwrap_or(true) {
                self.event(&event, writer)?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &StoredEvent<'_>, writer: &mut dyn Write) -> io::Result<()> {
        self.events += 1;
        if !self.documents && (event.index.is_some() || event.id.is_some()) {
            let action = match (event.index, event.id) {
                (Some(index), Some(id)) => json!({"_index": index, "_id": id}),
                (Some(index), None) => json!({"_index": index}),
                (None, Some(id)) => json!({"_id": id}),
                (None, None) => json!({}),
            };
            serde_json::to_writer(&mut *writer, &json!({"create": action}))?;
            writer.write_all(b"\n")?;
        } else if !self.documents {
            writer.write_all(b"{\"create\":{}}\n")?;
        }
        write_line(event.source, writer)
    }
}

/// A document on one line: line ends between its members are white space of JSON.
fn write_line(source: &[u8], writer: &mut dyn Write) -> io::Result<()> {
    if source.contains(&b'\n') || source.contains(&b'\r') {
        let line: Vec<u8> =
            source.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        writer.write_all(&line)?;
    } else {
        writer.write_all(source)?;
    }
    writer.write_all(b"\n")
}
