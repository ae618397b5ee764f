//! `maxspan query`: one query over events, the answer as JSON.

use std::fs;
use std::io::{self, BufWriter, Read as _, Write as _};

use maxspan_diagnostics::Source;
use maxspan_eql::Strictness;
use maxspan_pipeline::query::{self, QueryAnswer, QueryLanguage, QueryOptions};
use serde_json::Value;

use crate::args::QueryArguments;
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::account;
use crate::output::messages::{Messages, input_problem, print_diagnostics};
use crate::output::summary::counted;
use crate::terminal;
use crate::time;

pub(crate) fn run(arguments: &QueryArguments) -> Result<Exit, Failure> {
    let source = query_source(&arguments.query, arguments.language.into())?;
    let options = options(arguments)?;
    let mut reader = events::reader(&arguments.inputs);
    let answer = match query::run(&source.text, &mut reader, &options) {
        Ok(answer) => answer,
        Err(diagnostics) => {
            print_diagnostics("error", diagnostics.iter().map(|diagnostic| (&source, diagnostic)));
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() as u64;
            return Err(Failure::usage(format!("the query has {}", counted(errors, "error"))));
        }
    };
    report(&source, &answer);
    write(&answer.response, arguments.compact || !terminal::stdout_is_terminal())
        .map_err(Failure::output("the answer"))?;
    let unreadable = answer.events == 0 && !answer.problems.is_empty();
    Ok(if unreadable { Exit::Input } else { Exit::Success })
}

/// The query's text: the argument itself, or with `@` the file that it names. A KQL query may begin with `@timestamp`,
/// so there what names no file is a query.
fn query_source(argument: &str, language: QueryLanguage) -> Result<Source, Failure> {
    let names_file = |path: &&str| language == QueryLanguage::Eql || std::path::Path::new(path).exists();
    let file = argument.strip_prefix('@').filter(names_file);
    let Some(path) = file else { return Ok(Source::new("query", argument)) };
    let failure = |error: io::Error| Failure::usage(format!("query {path}: {error}"));
    let mut text = String::new();
    // A byte more than a query may have, so that the message about its length comes.
    let most = maxspan_eql::limits::QUERY_BYTES_MAX as u64 + 1;
    fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(failure)?;
    Ok(Source::new(path, text))
}

fn options(arguments: &QueryArguments) -> Result<QueryOptions, Failure> {
    Ok(QueryOptions {
        language: arguments.language.into(),
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
    })
}

fn report(source: &Source, answer: &QueryAnswer) {
    print_diagnostics("warning", answer.diagnostics.iter().map(|diagnostic| (source, diagnostic)));
    let mut messages = Messages::new("problem");
    for problem in &answer.problems {
        if let Some(text) = messages.next(|| input_problem(problem)) {
            terminal::say(&text);
        }
    }
    messages.more(answer.more_problems);
    if let Some(rest) = messages.rest() {
        terminal::say(&rest);
    }
    for line in account::lost_in_query(answer) {
        terminal::say(&line);
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
