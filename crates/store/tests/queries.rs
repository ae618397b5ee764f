//! Queries over stored events: how much of one is done by a plan, and what bounds it. That answers are those of the executor of
//! rows, the tests of the program say (`stored_queries`).

mod support;

use std::sync::Arc;
use std::time::Duration;

use maxspan_diagnostics::{Source, codes};
use maxspan_esql::run::Tables;
use maxspan_esql::{EventSchema, Query, Value, analyze, parse};
use maxspan_event::Schema;
use maxspan_store::{QueryError, ReadRow, RowsOfDocuments, Store, StoredQuery};
use support::{event, import, store};

/// Columns hold all that these tests ask for.
struct NoDocuments;

impl RowsOfDocuments for NoDocuments {
    fn reader(&self) -> ReadRow {
        Box::new(|_| Err("a document was read".to_owned()))
    }
}

fn filled() -> (tempfile::TempDir, Arc<Store>) {
    let (folder, store) = store();
    let more = |n: u32| {
        format!(
            r#","process":{{"pid":{n},"name":"p{}","args":["a","{n}"]}},"host":{{"name":"h{}"}}"#,
            n % 7,
            n % 3
        )
    };
    let events: Vec<String> = (0..300).map(|n| event(n, &more(n))).collect();
    let rows: Vec<_> = events.iter().map(|source| ("logs-x-default", "id", source.as_str())).collect();
    import(&store, &rows);
    (folder, store)
}

fn query(text: &str, schema: &Schema) -> Query {
    let (tree, found) = parse(text);
    assert!(found.is_empty(), "{text}: {found:?}");
    let (query, found) = analyze(&tree, &Source::new("query", text), &EventSchema::new(schema.clone()));
    query.unwrap_or_else(|| panic!("{text}: {found:?}"))
}

fn request<'a>(query: &'a Query, schema: &'a Schema, tables: &'a Tables) -> StoredQuery<'a> {
    let documents = Arc::new(NoDocuments);
    let (memory, timeout) = (256 << 20, None);
    StoredQuery { query, schema, documents, tables, now_ms: 0, memory, timeout }
}

#[test]
fn plans_do_what_they_can() {
    let (_folder, store) = filled();
    let (schema, tables) = (Schema::built_in(), Tables::default());
    let check = |text: &str, left: usize, expected: &[&str], unexpected: &[&str]| {
        let query = query(text, &schema);
        let (plan, done) = store.plan_of(&request(&query, &schema, &tables)).expect("a plan");
        let shown = plan.display_indent().to_string();
        assert_eq!(query.commands.len() - done, left, "{text}: {shown}");
        for part in expected {
            assert!(shown.contains(part), "{text}: no {part} in {shown}");
        }
        for part in unexpected {
            assert!(!shown.contains(part), "{text}: {part} in {shown}");
        }
    };
    let by_row = "esql";
    check("FROM logs-* | STATS c = COUNT(*) BY process.name", 0, &["Aggregate"], &[by_row]);
    check(
        r#"FROM logs-* | WHERE process.name == "p1" AND process.pid > 3"#,
        0,
        &["Filter"],
        &[by_row, "single"],
    );
    check(r#"FROM logs-* | WHERE process.args == "a""#, 0, &["single"], &[by_row]);
    check(r#"FROM logs-* | WHERE process.name LIKE "p*""#, 0, &["like"], &[by_row]);
    check("FROM logs-* | EVAL x = process.pid + 1", 0, &[by_row], &[]);
    check("FROM logs-* | STATS c = COUNT(*) BY process.args", 0, &["Unnest", "different"], &[]);
    check("FROM logs-* | SORT process.pid | LIMIT 3", 0, &["Sort", "Limit"], &[]);
    check("FROM logs-* | STATS m = MEDIAN(process.pid) | WHERE m > 1", 3, &[], &["Aggregate"]);
    check("FROM logs-* | INLINE STATS m = MAX(process.pid) BY host.name", 2, &[], &["Aggregate"]);
}

#[test]
fn only_columns_are_read_where_they_are_enough() {
    let (_folder, store) = filled();
    let (schema, tables) = (Schema::built_in(), Tables::default());
    let text = "FROM logs-* | WHERE process.pid >= 290 | STATS c = COUNT(*), m = MAX(process.pid) BY host.name \
                | SORT host.name";
    let query = query(text, &schema);
    let answer = store.query(&request(&query, &schema, &tables)).expect("an answer");
    let long = Value::Long;
    let expected = [
        vec![long(3), long(297), Value::text("h0")],
        vec![long(3), long(298), Value::text("h1")],
        vec![long(4), long(299), Value::text("h2")],
    ];
    assert_eq!(answer.outcome.rows, expected);
    assert_eq!(answer.events, 300);
}

#[test]
fn time_and_memory_are_bounded() {
    let (_folder, store) = filled();
    let (schema, tables) = (Schema::built_in(), Tables::default());
    let query = query("FROM logs-* | STATS v = VALUES(process.args) BY process.pid", &schema);
    let request = request(&query, &schema, &tables);
    let late = StoredQuery { timeout: Some(Duration::ZERO), ..request };
    assert!(matches!(store.query(&late), Err(QueryError::Timeout)));
    let little = StoredQuery { memory: 4 << 10, timeout: None, ..late };
    match store.query(&little) {
        Err(QueryError::Store(error)) => assert_eq!(error.code, codes::STORE_MEMORY, "{error}"),
        other => assert!(matches!(other, Err(QueryError::Run(_))), "{other:?}"),
    }
}
