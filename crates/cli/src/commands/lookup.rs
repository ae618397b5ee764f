//! `maxspan lookup`: tables that rules and queries look into.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use indicatif::{DecimalBytes, HumanCount};
use maxspan_event::Schema;
use maxspan_pipeline::lookups::load::{LoadAccount, LoadOptions, load};
use maxspan_pipeline::lookups::{Header, LookupErrorKind, LookupTable, Lookups, check_name};
use serde_json::{Map, Value, json};

use crate::args::lookup::{LoadArguments, LookupCommand, ShowFormat, TablePlace};
use crate::exit::{Exit, Failure};
use crate::lookups::{failure, say_account};
use crate::output::summary::counted;
use crate::output::table::Look;
use crate::terminal::{self, Paint, printable};
use crate::time;

/// The file that makes a folder a store.
const STORE_MARKER: &str = "maxspan-store.json";

pub(crate) fn run(command: &LookupCommand) -> Result<Exit, Failure> {
    match command {
        LookupCommand::Load(arguments) => load_table(arguments),
        LookupCommand::List { place, json } => list(&lookups(place)?, *json),
        LookupCommand::Show { name, place, format, limit } => show(&lookups(place)?, name, *format, *limit),
        LookupCommand::Remove { name, place } => {
            lookups(place)?.remove(name).map_err(failure)?;
            terminal::say(&format!("{name}: deleted"));
            Ok(Exit::Success)
        }
    }
}

fn lookups(place: &TablePlace) -> Result<Lookups, Failure> {
    let Some(store) = &place.store else {
        return Ok(Lookups::at(place.lookups.clone().unwrap_or_default()));
    };
    let lookups = Lookups::of_store(store).ok_or_else(|| {
        Failure::usage(format!("{store}: lookup tables are kept in local folders only (--lookups DIR)"))
    })?;
    if !Path::new(store).join(STORE_MARKER).is_file() {
        return Err(Failure::usage(format!("{store}: there is no store here; `maxspan import` makes one")));
    }
    Ok(lookups)
}

// ---- load

fn load_table(arguments: &LoadArguments) -> Result<Exit, Failure> {
    check_name(&arguments.name).map_err(failure)?;
    let lookups = lookups(&arguments.place)?;
    let before = before(&lookups, arguments)?;
    let options = options(arguments)?;
    let (table, account) = load(&arguments.name, &arguments.files, before, &options).map_err(failure)?;
    say_account(&account);
    let is_strict_about = account.failed > 0 || !account.not_expressed.is_empty();
    if arguments.strict && is_strict_about {
        return Err(Failure::input(format!("nothing was loaded: {} (--strict)", what_failed(&account))));
    }
    if account.loaded == 0 && account.failed > 0 {
        let failed = counted(account.failed, "row");
        return Err(Failure::input(format!("nothing was loaded: none of {failed} can be used")));
    }
    lookups.write(&table).map_err(failure)?;
    terminal::say(&summary(&table.header, &account));
    Ok(Exit::Success)
}

/// The table that rows are added to.
fn before(lookups: &Lookups, arguments: &LoadArguments) -> Result<Option<LookupTable>, Failure> {
    if !arguments.append {
        return Ok(None);
    }
    match lookups.read(&arguments.name) {
        Ok(table) => Ok(Some(table)),
        // There is none yet.
        Err(error) if error.kind == LookupErrorKind::Usage => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

fn options(arguments: &LoadArguments) -> Result<LoadOptions, Failure> {
    let mut value_types = arguments.types.iter().filter(|(column, _)| column.is_none());
    let value_type = value_types.next().map(|(_, kind)| *kind);
    if value_types.next().is_some() {
        return Err(Failure::usage("a value list has one type; --type COLUMN=TYPE is about a column"));
    }
    let columns = arguments.types.iter().filter_map(|(column, kind)| Some((column.clone()?, *kind)));
    Ok(LoadOptions {
        kind: arguments.kind.into(),
        format: arguments.format.map(Into::into),
        value_type,
        types: columns.collect(),
        match_field: arguments.match_field.clone(),
        schema: Schema::built_in(),
        now: time::now(arguments.now.as_deref())?,
    })
}

fn what_failed(account: &LoadAccount) -> String {
    let not_expressed: u64 = account.not_expressed.values().sum();
    let mut parts = Vec::new();
    if account.failed > 0 {
        parts.push(format!("{} cannot be used", counted(account.failed, "row")));
    }
    if not_expressed > 0 {
        parts.push(format!("{} of patterns not expressed", counted(not_expressed, "alternative")));
    }
    parts.join(", ")
}

fn summary(header: &Header, account: &LoadAccount) -> String {
    let mut parts = vec![format!("{} loaded", counted(account.loaded, "row"))];
    if account.failed > 0 {
        parts.push(format!("{} cannot be used", HumanCount(account.failed)));
    }
    if account.repeated > 0 {
        parts.push(format!("{} repeated", HumanCount(account.repeated)));
    }
    if header.rows != account.loaded {
        parts.push(format!("{} in all", HumanCount(header.rows)));
    }
    format!("{}: {}", header.name, parts.join(", "))
}

// ---- list, show

fn list(lookups: &Lookups, as_json: bool) -> Result<Exit, Failure> {
    let listed = lookups.list().map_err(failure)?;
    for problem in &listed.problems {
        terminal::error(&problem.to_string());
    }
    let lines = if as_json {
        let line = |(header, bytes): &(Header, u64)| {
            let mut object = json!(header);
            object["bytes"] = json!(bytes);
            format!("{object}\n")
        };
        listed.tables.iter().map(line).collect()
    } else {
        table_of(&listed.tables)
    };
    write_text(&lines)?;
    Ok(if listed.problems.is_empty() { Exit::Success } else { Exit::Input })
}

fn table_of(tables: &[(Header, u64)]) -> String {
    let mut table = look().table(&["table", "kind", "matches", "columns", "rows", "size", "loaded at"]);
    for (header, bytes) in tables {
        let matches = match &header.match_field {
            Some(field) => {
                let kind = header.columns.iter().find(|column| column.name == *field);
                format!("{field} ({})", kind.map_or("keyword", |column| column.kind.name()))
            }
            None => match header.columns.as_slice() {
                [only] => only.kind.name().to_owned(),
                _ => String::new(),
            },
        };
        table.add_row([
            printable(&header.name).into_owned(),
            header.kind.name().to_owned(),
            printable(&matches).into_owned(),
            HumanCount(header.columns.len() as u64).to_string(),
            HumanCount(header.rows).to_string(),
            DecimalBytes(*bytes).to_string(),
            header.loaded_at.clone(),
        ]);
    }
    format!("{}\n", trimmed(&table))
}

fn show(
    lookups: &Lookups,
    name: &str,
    format: Option<ShowFormat>,
    limit: Option<usize>,
) -> Result<Exit, Failure> {
    let table = lookups.read(name).map_err(failure)?;
    let on_terminal = terminal::stdout_is_terminal();
    let format = format.unwrap_or(if on_terminal { ShowFormat::Table } else { ShowFormat::NdJson });
    let rows = table.rows.iter().take(limit.unwrap_or(usize::MAX));
    let text = match format {
        ShowFormat::NdJson => rows.map(|row| format!("{row}\n")).collect(),
        ShowFormat::Table => {
            let names: Vec<String> =
                table.header.columns.iter().map(|column| printable(&column.name).into_owned()).collect();
            let mut shown = look().table(&names.iter().map(String::as_str).collect::<Vec<_>>());
            for row in rows {
                let cells: Map<String, Value> =
                    LookupTable::cells(row, table.header.kind).unwrap_or_default();
                let columns = table.header.columns.iter();
                shown.add_row(columns.map(|column| cell(cells.get(&column.name))));
            }
            format!("{}\n", trimmed(&shown))
        }
    };
    write_text(&text)?;
    Ok(Exit::Success)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => printable(text).into_owned(),
        Some(other) => printable(&other.to_string()).into_owned(),
    }
}

fn look() -> Look {
    Look::new(Paint::stdout(), !terminal::stdout_is_terminal())
}

fn trimmed(table: &comfy_table::Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn write_text(text: &str) -> Result<(), Failure> {
    let mut writer = BufWriter::new(io::stdout().lock());
    let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
    written.map_err(Failure::output("the table"))
}
