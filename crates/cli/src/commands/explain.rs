//! `maxspan explain`: why a rule matches events, or does not.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::styling::AnsiColor;
use maxspan_pipeline::explain::text::{Mark, Painter, render};
use maxspan_pipeline::explain::{ExplainOptions, Explanation, Subject, explain};
use maxspan_pipeline::hunt::HuntOptions;
use maxspan_rules::{CompileOptions, LoadedRules, RuleDocument};

use crate::args::{ExplainArguments, ExplainFormat};
use crate::events;
use crate::exit::{Exit, Failure};
use crate::load;
use crate::lookups;
use crate::output::messages::{input_problem, print_all, print_diagnostics};
use crate::terminal::{self, Paint};
use crate::time;

pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    let folders = lookups::folders(arguments.lookups.lookups.as_deref(), None)?;
    let mut loaded = load(arguments)?;
    lookups::add_value_lists(&folders, &mut loaded);
    let rule = chosen(&loaded, arguments)?;
    let mut options = options(arguments)?;
    options.compile.tables = lookups::tables(&folders, &[&rule.query]);
    let subject = Subject { rule, exceptions: &loaded.exceptions, value_lists: &loaded.value_lists };
    let mut reader = events::reader(&arguments.events);
    let explanation = explain(subject, &mut reader, &options).map_err(|diagnostics| {
        print_all(diagnostics.iter().map(|(source, diagnostic)| (&**source, diagnostic)));
        Failure::rules(format!("the rule `{}` cannot be run", rule.name))
    })?;
    for problem in &explanation.problems {
        terminal::say(&input_problem(problem));
    }
    if explanation.stats.events == 0 && !explanation.problems.is_empty() {
        // What nothing was seen of cannot be explained.
        return Ok(Exit::Input);
    }
    print_all(explanation.diagnostics.iter().map(|(source, diagnostic)| (&**source, diagnostic)));
    write(&explanation, arguments.format).map_err(Failure::output("the explanation"))?;
    Ok(Exit::Success)
}

/// The rules that `--rules` names; without it, `--rule` is a file.
fn load(arguments: &ExplainArguments) -> Result<LoadedRules, Failure> {
    let paths = match &arguments.rule {
        Some(rule) if arguments.paths.is_empty() => vec![PathBuf::from(rule)],
        _ => arguments.paths.clone(),
    };
    let loaded = load::rules(&paths, &arguments.exceptions, true, None)?;
    print_diagnostics("error", loaded.diagnostics().filter(|(_, diagnostic)| diagnostic.is_error()));
    Ok(loaded)
}

fn chosen<'a>(loaded: &'a LoadedRules, arguments: &ExplainArguments) -> Result<&'a RuleDocument, Failure> {
    let name = arguments.rule.as_deref();
    let named = |rule: &&RuleDocument| {
        name.is_none_or(|name| {
            rule.rule_id == name || rule.name.eq_ignore_ascii_case(name) || is_file(rule, name)
        })
    };
    let found: Vec<&RuleDocument> = loaded.rules.iter().filter(named).collect();
    match (found.as_slice(), name) {
        ([only], _) => Ok(only),
        ([], Some(name)) => Err(Failure::usage(format!("no rule has the id or name `{name}`"))),
        ([], None) => Err(Failure::usage("there is no rule in these paths")),
        (several, _) => {
            let names: Vec<String> =
                several.iter().take(5).map(|rule| format!("`{}` ({})", rule.name, rule.rule_id)).collect();
            let count = several.len();
            Err(Failure::usage(format!("{count} rules; --rule chooses one: {}", names.join(", "))))
        }
    }
}

/// Whether the rule stands in the file.
fn is_file(rule: &RuleDocument, name: &str) -> bool {
    Path::new(&rule.origin.source.name) == Path::new(name)
}

fn options(arguments: &ExplainArguments) -> Result<ExplainOptions, Failure> {
    let now = time::now(arguments.now.as_deref())?;
    let window = time::window(arguments.from.as_deref(), arguments.to.as_deref(), now)?;
    Ok(ExplainOptions {
        hunt: HuntOptions {
            default_index: arguments.reading.index.clone().unwrap_or_default(),
            now,
            ..HuntOptions::default()
        },
        schema: load::schema(&arguments.reading.mapping, false)?,
        compile: CompileOptions { now, window, ..CompileOptions::default() },
        normalize: !arguments.reading.no_normalize,
        nearest: arguments.nearest,
        events_max: arguments.limit,
    })
}

fn write(explanation: &Explanation, format: ExplainFormat) -> io::Result<()> {
    let mut writer = BufWriter::new(io::stdout().lock());
    match format {
        ExplainFormat::Text => writer.write_all(render(explanation, &Paint::stdout()).as_bytes())?,
        ExplainFormat::Json => {
            serde_json::to_writer_pretty(&mut writer, explanation)?;
            writer.write_all(b"\n")?;
        }
    }
    writer.flush()
}

impl Painter for Paint {
    fn paint(&self, mark: Mark, text: &str) -> String {
        match mark {
            Mark::Label => self.bold(text),
            Mark::True => self.colour(AnsiColor::Green, text),
            Mark::False => self.colour(AnsiColor::Red, text),
            Mark::Null => self.colour(AnsiColor::Yellow, text),
            Mark::Dim => self.dim(text),
        }
    }

    fn is_on(&self) -> bool {
        Self::is_on(*self)
    }
}
