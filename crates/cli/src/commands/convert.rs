//! `maxspan rules convert`: rules between TOML and JSON.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_rules::convert::{exceptions_to_json, to_json, to_toml};
use maxspan_rules::load::{FileKind, LoadedTexts, load_texts};
use maxspan_rules::toml_out::to_toml_text;
use maxspan_rules::{DocumentKind, Limits, VersionLock, classify};
use serde_json::Value;
use toml::Table;

use crate::args::catalog::{ConvertArguments, ConvertFormat};
use crate::exit::{Exit, Failure};
use crate::load;
use crate::output::messages::{Messages, print_diagnostics};
use crate::output::summary::counted;
use crate::terminal;

/// Beside TOML rules: what of an export is no rule.
const REST_FILE: &str = "rest.ndjson";
/// Characters of a file name made of a rule's name.
const FILE_NAME_CHARS_MAX: usize = 100;

pub(crate) fn run(arguments: &ConvertArguments) -> Result<Exit, Failure> {
    load::check_paths("rules", &arguments.paths)?;
    let lock = load::version_lock(arguments.version_lock.as_deref())?;
    let texts = load_texts(&arguments.paths, &Limits::default());
    let unread = texts.problems.iter().flat_map(|(source, all)| all.iter().map(move |one| (&**source, one)));
    print_diagnostics("problem", unread);
    let mut conversion = Conversion::new(arguments.to, lock.as_ref());
    conversion.failed += texts.problems.len() as u64;
    conversion.read(&texts);
    if conversion.rules.is_empty() && conversion.rest.is_empty() && conversion.failed == 0 {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    let written = match arguments.to {
        ConvertFormat::Toml => write_toml(&conversion, arguments),
        ConvertFormat::NdJson | ConvertFormat::Json => write_json(&conversion, arguments),
    };
    conversion.messages.rest().into_iter().for_each(|rest| terminal::say(&rest));
    written?;
    Ok(if conversion.failed > 0 { Exit::Rules } else { Exit::Success })
}

/// A rule in the form that is asked for.
enum Converted {
    Toml {
        /// What its file is to be called, without the extension.
        stem: String,
        text: String,
    },
    Json(Value),
}

struct Conversion<'a> {
    to: ConvertFormat,
    lock: Option<&'a VersionLock>,
    rules: Vec<Converted>,
    /// Documents of exports that are no rules, in order; among JSON they stand at their place.
    rest: Vec<Value>,
    failed: u64,
    messages: Messages,
}

impl<'a> Conversion<'a> {
    fn new(to: ConvertFormat, lock: Option<&'a VersionLock>) -> Self {
        let messages = Messages::new("rule");
        Self { to, lock, rules: Vec::new(), rest: Vec::new(), failed: 0, messages }
    }

    fn read(&mut self, texts: &LoadedTexts) {
        // Of several exports, none of the lines that count documents is right any more.
        let exports = texts.files.iter().filter(|(kind, _)| *kind != FileKind::Toml).count();
        for (kind, source) in &texts.files {
            match kind {
                FileKind::Toml => self.toml(source),
                FileKind::NdJson | FileKind::Json => self.json(source, exports == 1),
                FileKind::ValueList => {}
            }
        }
    }

    fn fail(&mut self, place: &str, why: &str) {
        self.failed += 1;
        let text = || format!("{place}: {why}");
        self.messages.next(text).into_iter().for_each(|text| terminal::error(&text));
    }

    fn toml(&mut self, source: &Arc<Source>) {
        let tree: Table = match source.text.parse() {
            Ok(tree) => tree,
            Err(error) => {
                let error: toml::de::Error = error;
                return self.fail(&source.name, &format!("not valid TOML: {}", error.message()));
            }
        };
        let is_rule = tree.contains_key("rule");
        if !is_rule && !tree.contains_key("exceptions") {
            return;
        }
        if self.to == ConvertFormat::Toml {
            let stem = Path::new(&source.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            return self.rules.push(Converted::Toml { stem, text: source.text.clone() });
        }
        if is_rule {
            match checked_json(&tree, self.lock) {
                Ok(document) => self.rules.push(Converted::Json(document)),
                Err(why) => self.fail(&source.name, &why),
            }
        }
        self.rules.extend(exceptions_to_json(&tree).into_iter().map(Converted::Json));
    }

    fn json(&mut self, source: &Arc<Source>, only: bool) {
        let (documents, problems) = documents(&source.text);
        for (line, why) in problems {
            self.fail(&format!("{}:{line}", source.name), &format!("not valid JSON: {why}"));
        }
        for (line, document) in documents {
            let kind = document.as_object().map_or(DocumentKind::Unknown, classify);
            let is_rule = matches!(kind, DocumentKind::Rule | DocumentKind::Asset);
            if kind == DocumentKind::Details && !only {
                let why =
                    "the line that counts an export's documents is left out, since there are several exports";
                terminal::say(&format!("{}:{line}: {why}", source.name));
            } else if self.to != ConvertFormat::Toml {
                self.rules.push(Converted::Json(document));
            } else if is_rule {
                match checked_toml(&document) {
                    Ok(text) => self.rules.push(Converted::Toml { stem: file_stem(&document), text }),
                    Err(why) => self.fail(&format!("{}:{line}", source.name), &why),
                }
            } else {
                self.rest.push(document);
            }
        }
    }
}

/// The JSON of a TOML rule, once it is sure that the way back gives the same tree.
fn checked_json(tree: &Table, lock: Option<&VersionLock>) -> Result<Value, String> {
    let document = to_json(tree, lock).map_err(|error| error.to_string())?;
    let back = to_toml(&document).map_err(|error| error.to_string())?;
    // As texts, in which one `nan` is like another, and which have the order of keys.
    if to_toml_text(&back) != to_toml_text(tree) {
        return Err("cannot be converted without loss".to_owned());
    }
    Ok(document)
}

/// The TOML of a JSON rule, once it is sure that the way back gives the same value.
fn checked_toml(document: &Value) -> Result<String, String> {
    let text = to_toml_text(&to_toml(document).map_err(|error| error.to_string())?);
    let tree: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let back = to_json(&tree, None).map_err(|error| error.to_string())?;
    // What was TOML once has its own way back, which fills in again what Kibana has dropped.
    let was_toml = document.pointer("/meta/maxspan").is_some();
    if back != *document && !was_toml {
        return Err("cannot be converted without loss".to_owned());
    }
    Ok(text)
}

/// Documents, or messages, with their lines.
type WithLines<T> = Vec<(usize, T)>;

/// The documents of a file, and what cannot be read.
fn documents(text: &str) -> (WithLines<Value>, WithLines<String>) {
    let flat = |line: usize, value: Value| match value {
        Value::Array(values) => values.into_iter().map(|value| (line, value)).collect(),
        other => vec![(line, other)],
    };
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return (flat(1, value), Vec::new());
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(value) => found.extend(flat(index + 1, value)),
            Err(error) => problems.push((index + 1, error.to_string())),
        }
    }
    (found, problems)
}

/// `Whoami Process Activity` is kept in `whoami_process_activity.toml`.
fn file_stem(document: &Value) -> String {
    let rule = document.get("attributes").filter(|attributes| attributes.is_object()).unwrap_or(document);
    let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
    let slug = |text: &str| {
        let words: Vec<String> = text
            .split(|character: char| !character.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        words.join("_").chars().take(FILE_NAME_CHARS_MAX).collect::<String>()
    };
    let names = [slug(text("name")), slug(text("rule_id"))];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "rule".to_owned())
}

// ---- Output

fn write_json(conversion: &Conversion<'_>, arguments: &ConvertArguments) -> Result<(), Failure> {
    let documents = conversion.rules.iter().filter_map(|rule| match rule {
        Converted::Json(document) => Some(document),
        Converted::Toml { .. } => None,
    });
    let text = if arguments.to == ConvertFormat::Json {
        serde_json::to_string_pretty(&documents.collect::<Vec<_>>()).unwrap_or_default() + "\n"
    } else {
        documents.map(|document| document.to_string() + "\n").collect()
    };
    match &arguments.output {
        Some(path) => write_file(path, &text, arguments.force),
        None => print(&text),
    }
}

fn write_toml(conversion: &Conversion<'_>, arguments: &ConvertArguments) -> Result<(), Failure> {
    let files: Vec<(&str, &str)> = conversion
        .rules
        .iter()
        .filter_map(|rule| match rule {
            Converted::Toml { stem, text } => Some((stem.as_str(), text.as_str())),
            Converted::Json(_) => None,
        })
        .collect();
    let Some(folder) = &arguments.output else {
        let [(_, text)] = files.as_slice() else {
            let count = counted(files.len() as u64, "rule");
            return Err(Failure::usage(format!(
                "TOML has one rule a file: {count} need a folder, --output DIR"
            )));
        };
        report_left_out(conversion.rest.len());
        return print(text);
    };
    if folder.extension().is_some_and(|extension| extension == "toml") {
        let [(_, text)] = files.as_slice() else {
            return Err(Failure::usage(format!(
                "{} would hold several rules: name a folder",
                folder.display()
            )));
        };
        report_left_out(conversion.rest.len());
        return write_file(folder, text, arguments.force);
    }
    let name = format!("to {}", folder.display());
    fs::create_dir_all(folder).map_err(Failure::output(&name))?;
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (stem, text) in files {
        let mut name = stem.to_owned();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{stem}_{number}");
            number += 1;
        }
        write_file(&folder.join(format!("{name}.toml")), text, arguments.force)?;
    }
    if !conversion.rest.is_empty() {
        let path = folder.join(REST_FILE);
        let text: String = conversion.rest.iter().map(|document| document.to_string() + "\n").collect();
        write_file(&path, &text, arguments.force)?;
        let count = counted(conversion.rest.len() as u64, "document");
        let what = "no rules (exception lists and items, connectors)";
        terminal::say(&format!("{count} of the exports are {what} and stand in {}", path.display()));
    }
    Ok(())
}

fn report_left_out(count: usize) {
    if count > 0 {
        let count = counted(count as u64, "document");
        terminal::warning(&format!(
            "{count} that are no rules left out; with a folder (--output DIR) they stand beside"
        ));
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut writer = io::stdout().lock();
    writer.write_all(text.as_bytes()).and_then(|()| writer.flush()).map_err(Failure::output("the rules"))
}

fn write_file(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let name = format!("the rules to {}", path.display());
    let mut options = fs::OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let file = options.open(path);
    if file.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
        return Err(Failure::usage(format!("{} is there already; --force overwrites it", path.display())));
    }
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Failure::output(&name))
}
