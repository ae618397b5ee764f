//! `maxspan query`: one query over events, the answer as JSON.

use std::fs;
use std::io::{self, BufWriter, Read as _, Write as _};

use maxspan_diagnostics::{Diagnostic, Source};
use maxspan_eql::Strictness;
use maxspan_esql::run::RunError;
use maxspan_pipeline::input::InputProblem;
use maxspan_pipeline::query::rows::{self, RowsError, RunLimits};
use maxspan_pipeline::query::{self, QueryLanguage, QueryOptions, RuleCounters};
use serde_json::Value;

use crate::args::{Language, QueryArguments, RowsArguments, RowsFormat};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::lookups;
use crate::output::messages::{Messages, input_problem, print_diagnostics};
use crate::output::summary::counted;
use crate::output::table::Look;
use crate::output::{self, account};
use crate::terminal::{self, Paint, printable};
use crate::time;

pub(crate) fn run(arguments: &QueryArguments) -> Result<Exit, Failure> {
    let language = match arguments.language {
        Language::Eql => QueryLanguage::Eql,
        Language::Kql => QueryLanguage::Kql,
        Language::Esql => return run_esql(arguments),
    };
    let RowsArguments { format, timeout, store, .. } = &arguments.rows;
    let lookups = &arguments.lookups.lookups;
    if format.is_some() || timeout.is_some() || store.is_some() || lookups.is_some() {
        return Err(Failure::usage("--store, --format, --timeout and --lookups are for --language esql"));
    }
    let source = query_source(&arguments.query, arguments.language)?;
    let options = options(arguments, language)?;
    let mut reader = events::reader(&arguments.inputs);
    let answer = query::run(&source.text, &mut reader, &options).map_err(|found| wrong(&source, &found))?;
    print_diagnostics("warning", answer.diagnostics.iter().map(|diagnostic| (&source, diagnostic)));
    report(&answer.problems, answer.more_problems);
    say_all(&account::lost_in_query(&answer.events_lost, &answer.state_lost));
    write(&answer.response, arguments.compact || !terminal::stdout_is_terminal())
        .map_err(Failure::output("the answer"))?;
    Ok(exit(answer.events, &answer.problems))
}

fn run_esql(arguments: &QueryArguments) -> Result<Exit, Failure> {
    let RowsArguments { format, memory_limit, timeout, store } = &arguments.rows;
    let source = query_source(&arguments.query, arguments.language)?;
    let tables = lookups::folders(arguments.lookups.lookups.as_deref(), store.as_deref())?;
    let tables = lookups::tables(&tables, &[&source.text]);
    let options = QueryOptions { tables, ..options(arguments, QueryLanguage::Eql)? };
    let limits = RunLimits { memory_bytes: Some(*memory_limit), timeout: *timeout };
    let answer = match store {
        Some(store) => events::query_store(store, &source, &options, limits),
        None => rows::run(&source, &mut events::reader(&arguments.inputs), &options, limits),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(RowsError::Query(found)) => return Err(wrong(&source, &found)),
        Err(RowsError::Events(message)) => return Err(Failure::input(message)),
        Err(RowsError::Run(error @ RunError::Memory { .. })) => {
            return Err(Failure::usage(format!("{error} (--memory-limit)")));
        }
        Err(RowsError::Run(error)) => return Err(Failure::usage(error.to_string())),
        Err(RowsError::Timeout(most)) => {
            return Err(Failure::usage(format!("the query took longer than {most:?} (--timeout)")));
        }
    };
    print_diagnostics("warning", answer.diagnostics.iter().map(|diagnostic| (&source, diagnostic)));
    report(&answer.problems, answer.more_problems);
    say_all(&account::lost_in_query(&answer.events_lost, &RuleCounters::default()));
    for warning in &answer.warnings {
        terminal::say(&format!("warning: {}", printable(warning)));
    }
    let on_terminal = terminal::stdout_is_terminal();
    #[cfg(feature = "store")]
    if *format == Some(RowsFormat::Arrow) {
        return events::write_arrow(&answer).map(|()| exit(answer.events, &answer.problems));
    }
    let format = format.unwrap_or(if on_terminal { RowsFormat::Table } else { RowsFormat::Json });
    let look = Look::new(Paint::stdout(), !on_terminal);
    let mut writer = BufWriter::new(io::stdout().lock());
    output::rows::write(&mut writer, &answer, format, look)
        .and_then(|()| writer.flush())
        .map_err(Failure::output("the answer"))?;
    Ok(exit(answer.events, &answer.problems))
}

/// A query that cannot be run.
fn wrong(source: &Source, found: &[Diagnostic]) -> Failure {
    print_diagnostics("error", found.iter().map(|diagnostic| (source, diagnostic)));
    let errors = found.iter().filter(|diagnostic| diagnostic.is_error()).count() as u64;
    Failure::usage(format!("the query has {}", counted(errors, "error")))
}

fn say_all(lines: &[String]) {
    for line in lines {
        terminal::say(line);
    }
}

fn exit(events: u64, problems: &[InputProblem]) -> Exit {
    if events == 0 && !problems.is_empty() { Exit::Input } else { Exit::Success }
}

/// The query's text: the argument itself, or with `@` the file that it names. A KQL query may begin with `@timestamp`,
/// so there what names no file is a query.
fn query_source(argument: &str, language: Language) -> Result<Source, Failure> {
    let names_file = |path: &&str| language != Language::Kql || std::path::Path::new(path).exists();
    let file = argument.strip_prefix('@').filter(names_file);
    let Some(path) = file else { return Ok(Source::new("query", argument)) };
    let failure = |error: io::Error| Failure::usage(format!("query {path}: {error}"));
    let mut text = String::new();
    // A byte more than a query may have, so that the message about its length comes.
    let most = maxspan_eql::limits::QUERY_BYTES_MAX as u64 + 1;
    fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(failure)?;
    Ok(Source::new(path, text))
}

fn options(arguments: &QueryArguments, language: QueryLanguage) -> Result<QueryOptions, Failure> {
    Ok(QueryOptions {
        language,
        timestamp_field: arguments.timestamp_field.clone(),
        tiebreaker_field: arguments.tiebreaker_field.clone(),
        event_category_field: arguments.event_category_field.clone(),
        size: arguments.size,
        max_samples_per_key: arguments.max_samples_per_key,
        schema: load::schema(&arguments.reading.mapping, arguments.mapping_only)?,
        strictness: if arguments.strict { Strictness::Elasticsearch } else { Strictness::Lenient },
        now: time::now(arguments.now.as_deref())?,
        normalize: !arguments.reading.no_normalize,
        default_index: arguments.reading.index.clone().unwrap_or_default(),
        threads: arguments.threads.count(),
        ..QueryOptions::default()
    })
}

fn report(problems: &[InputProblem], more: u64) {
    let mut messages = Messages::new("problem");
    for problem in problems {
        if let Some(text) = messages.next(|| input_problem(problem)) {
            terminal::say(&text);
        }
    }
    messages.more(more);
    if let Some(rest) = messages.rest() {
        terminal::say(&rest);
    }
}

fn write(response: &Value, compact: bool) -> io::Result<()> {
    let mut writer = BufWriter::new(io::stdout().lock());
    if compact {
        serde_json::to_writer(&mut writer, response)?;
    } else {
        serde_json::to_writer_pretty(&mut writer, response)?;
    }
    writer.write_all(b"\n")?;
    writer.flush()
}
