//! ES|QL: any text is parsed, printed and parsed again, resolved against small tables and run over them; every message fits
//! the text, and a run ends within its memory.
#![no_main]

use std::cell::Cell;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use maxspan_diagnostics::{Source, has_errors};
use maxspan_esql::query::Column;
use maxspan_esql::run::{Options, Table, Tables, run};
use maxspan_esql::{DataType, EventSchema, Value, analyze, limits, parse, to_esql};
use maxspan_fuzz::{check_messages, schema};

/// After so many questions whether to go on, a run is stopped: queries may ask for more rows than a life has seconds.
const CHECKS_MAX: u32 = 20;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("query", text);
    let (tree, found) = parse(text);
    check_messages(&source, &found);
    if !has_errors(&found) {
        let printed = to_esql(&tree);
        // Escapes make the text longer, and so it may go over the limit.
        if printed.len() <= limits::QUERY_BYTES_MAX {
            let (again, problems) = parse(&printed);
            assert!(problems.is_empty(), "printed as {printed}: {problems:?}");
            assert_eq!(again, tree, "printed as {printed}");
        }
    }
    let events = EventSchema::new(schema().clone());
    let (query, messages) = analyze(&tree, &source, &events);
    assert_eq!(query.is_none(), has_errors(&messages));
    check_messages(&source, &messages);
    let (query, messages) = analyze(&tree, &source, tables());
    assert_eq!(query.is_none(), has_errors(&messages));
    check_messages(&source, &messages);
    let Some(query) = query.filter(|_| !has_errors(&found)) else { return };
    let checks = Cell::new(0);
    let stop = || {
        checks.set(checks.get() + 1);
        checks.get() > CHECKS_MAX
    };
    let options = Options { memory_bytes: Some(16 << 20), stop: Some(&stop), ..Options::default() };
    if let Ok(outcome) = run(&query, tables(), &options) {
        assert!(outcome.rows.len() <= limits::ROWS_MAX);
        assert!(outcome.rows.iter().all(|row| row.len() == outcome.columns.len()));
    }
});

/// A table with a column of each type under a short name, and one to look things up in.
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let column = |name: &str, kind: DataType| Column { name: name.to_owned(), kind };
        let columns = vec![
            column("k", DataType::Keyword),
            column("t", DataType::Text),
            column("n", DataType::Long),
            column("i", DataType::Integer),
            column("u", DataType::UnsignedLong),
            column("d", DataType::Double),
            column("b", DataType::Boolean),
            column("ip", DataType::Ip),
            column("@timestamp", DataType::Datetime),
            column("v", DataType::Version),
        ];
        let several = |values: [Value; 2]| Value::Many(values.into());
        let first = vec![
            Value::text("x"),
            Value::text("some free text"),
            Value::Long(i64::MIN),
            Value::Int(7),
            Value::UnsignedLong(u64::MAX),
            Value::Double(1.5),
            Value::Bool(true),
            Value::Ip([192, 0, 2, 7].into()),
            Value::Date(1_773_136_800_000),
            Value::Version("1.2.3".into()),
        ];
        let second = vec![
            several([Value::text("a b"), Value::text("c")]),
            Value::text(""),
            several([Value::Long(-1), Value::Long(i64::MAX)]),
            Value::Int(i32::MIN),
            Value::Null,
            several([Value::Double(-0.0), Value::Double(1e300)]),
            several([Value::Bool(false), Value::Bool(true)]),
            Value::Null,
            Value::Date(i64::MAX),
            Value::Null,
        ];
        let empty = vec![Value::Null; columns.len()];
        let mut tables = Tables::default();
        tables.insert("t", Table { columns: columns.clone(), rows: vec![first.clone(), second, empty] });
        tables.insert("l", Table { columns, rows: vec![first] });
        tables.insert_policy("p", "l", "k");
        tables
    })
}
