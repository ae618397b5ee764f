//! Commands over tables: what comes out, row by row, and which warnings.

use maxspan_diagnostics::Source;
use maxspan_esql::query::Column;
use maxspan_esql::run::{Options, Outcome, Table, Tables, run};
use maxspan_esql::{DataType, Value, analyze, parse, to_text};

fn column(name: &str, kind: DataType) -> Column {
    Column { name: name.to_owned(), kind }
}

fn texts(values: &[&str]) -> Value {
    match values {
        [] => Value::Null,
        [one] => Value::text(one),
        many => Value::Many(many.iter().map(Value::text).collect()),
    }
}

/// Events of two hosts, a table of their owners, and a policy over it.
fn tables() -> Tables {
    let event = |minute: i64, host: &[&str], user: &[&str], bytes: Value, message: &str| {
        vec![Value::Date(minute * 60_000), texts(host), texts(user), bytes, Value::text(message)]
    };
    let columns = vec![
        column("@timestamp", DataType::Datetime),
        column("host", DataType::Keyword),
        column("user", DataType::Keyword),
        column("bytes", DataType::Long),
        column("message", DataType::Text),
    ];
    let rows = vec![
        event(0, &["a"], &["ann"], Value::Long(10), "Login failed"),
        event(1, &["a"], &["ann", "bob"], Value::Long(30), "login OK"),
        event(2, &["b"], &["bob"], Value::Null, "File opened"),
        event(3, &["b"], &[], Value::Long(5), "file closed, quickly"),
        event(4, &[], &["cid"], Value::Many([Value::Long(1), Value::Long(2)].into()), "No host"),
    ];
    let mut tables = Tables::default();
    tables.insert("events-1", Table { columns, rows });
    let owner =
        |host: &str, owner: &str, floor: i32| vec![Value::text(host), Value::text(owner), Value::Int(floor)];
    let columns = vec![
        column("host", DataType::Keyword),
        column("owner", DataType::Keyword),
        column("floor", DataType::Integer),
    ];
    let rows = vec![owner("a", "ops", 1), owner("a", "web", 2), owner("c", "lab", 3)];
    tables.insert("owners", Table { columns, rows });
    tables.insert_policy("owner-of", "owners", "host");
    tables
}

fn outcome(query: &str) -> Outcome {
    let (source, tables) = (Source::new("query", query), tables());
    let (tree, found) = parse(query);
    assert!(found.is_empty(), "{query}: {found:?}");
    let (resolved, found) = analyze(&tree, &source, &tables);
    let resolved = resolved.unwrap_or_else(|| panic!("{query}: {found:?}"));
    run(&resolved, &tables, &Options { now_ms: 600_000, ..Options::default() }).unwrap()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Many(values) => values.iter().map(cell).collect::<Vec<_>>().join("+"),
        one => to_text(one.borrowed()),
    }
}

/// The names of the columns, then the rows.
#[track_caller]
fn check(query: &str, expected: &str) {
    let outcome = outcome(query);
    let names: Vec<&str> = outcome.columns.iter().map(|column| column.name.as_str()).collect();
    let mut lines = vec![names.join(" ")];
    lines.extend(outcome.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")));
    assert_eq!(lines.join(" / "), expected, "{query}");
}

#[test]
fn joins_and_enrichment() {
    let from = "FROM events-* | KEEP host, bytes";
    check(
        &format!("{from} | LOOKUP JOIN owners ON host | KEEP host, owner, floor"),
        "host owner floor / a ops 1 / a web 2 / a ops 1 / a web 2 / b - - / b - - / - - -",
    );
    check(
        &format!("{from} | ENRICH owner-of ON host | KEEP host, owner, floor"),
        "host owner floor / a ops+web 1+2 / a ops+web 1+2 / b - - / b - - / - - -",
    );
    check(&format!("{from} | LIMIT 1 | ENRICH owner-of WITH team = owner"), "host bytes team / a 10 ops+web");
    check("ROW host = [\"a\", \"c\"] | ENRICH owner-of ON host WITH owner", "host owner / a+c ops+web+lab");
    check("ROW host = [\"a\", \"c\"] | LOOKUP JOIN owners ON host", "host owner floor / a+c - -");
    check(
        "ROW host = \"a\", owner = \"web\" | LOOKUP JOIN owners ON host, owner",
        "host owner floor / a web 2",
    );
}

#[test]
fn groups() {
    let from = "FROM events-*";
    check(
        &format!("{from} | STATS n = COUNT(*), sum = SUM(bytes) BY host"),
        "n sum host / 1 3 - / 2 40 a / 2 5 b",
    );
    check(
        &format!("{from} | STATS n = COUNT(*) BY user | SORT user NULLS FIRST"),
        "n user / 1 - / 2 ann / 2 bob / 1 cid",
    );
    check(
        &format!(
            "{from} | STATS big = COUNT(*) WHERE bytes > 9, all = COUNT(bytes), h = COUNT_DISTINCT(host)"
        ),
        "big all h / 2 5 2",
    );
    check(&format!("{from} | WHERE false | STATS COUNT(*), MAX(bytes)"), "COUNT(*) MAX(bytes) / 0 -");
    check(&format!("{from} | WHERE false | STATS COUNT(*) BY host"), "COUNT(*) host");
    check(
        &format!("{from} | INLINE STATS most = MAX(bytes) BY host | KEEP host, bytes, most"),
        "host bytes most / a 10 30 / a 30 30 / b - 5 / b 5 5 / - 1+2 2",
    );
    check(
        &format!(
            "{from} | STATS first = FIRST(user, @timestamp), last = LAST(user, @timestamp) BY host | KEEP host, first, last"
        ),
        "host first last / - cid cid / a ann ann+bob / b bob -",
    );
    check(
        &format!(
            "{from} | STATS n = COUNT(*) BY m = BUCKET(@timestamp, 2 minutes) | EVAL m = DATE_FORMAT(\"mm\", m)"
        ),
        "n m / 2 00 / 2 02 / 1 04",
    );
    check(
        &format!(
            "{from} | STATS n = COUNT(*) BY m = BUCKET(@timestamp, 5, \"1970-01-01\", \"1970-01-01T00:10:00Z\") | KEEP n"
        ),
        "n / 5",
    );
    check(&format!("{from} | STATS t = TOP(bytes, 2, \"desc\", host)"), "t / a+a");
}

#[test]
fn conditions() {
    let bytes = |condition: &str| {
        format!(
            "FROM events-* | WHERE {condition} | EVAL m = DATE_EXTRACT(\"minute_of_hour\", @timestamp) | STATS m = VALUES(m)"
        )
    };
    let check = |condition: &str, minutes: &str| check(&bytes(condition), &format!("m / {minutes}"));
    check("user == \"ann\"", "0");
    check("NOT user == \"ann\"", "2+4");
    check("MV_CONTAINS(user, \"bob\")", "1+2");
    check("KQL(\"user: bob and not bytes > 20\")", "2");
    check("KQL(\"user: bob\") AND host == \"a\"", "1");
    check("KQL(\"opened\")", "2");
    check("message : \"login file\"", "0+1+2+3");
    check("MATCH(message, \"login failed\", {\"operator\": \"AND\"})", "0");
    check("MATCH(message, \"quikly\", {\"fuzziness\": \"AUTO\"})", "3");
    check("MATCH(user, \"ban\", {\"fuzziness\": 1})", "-");
    check("MATCH(user, \"bop\", {\"fuzziness\": 1})", "1+2");
    check("MATCH_PHRASE(message, \"closed quickly\")", "3");
    check("bytes IN (5, 10)", "0+3");
    check("bytes NOT IN (5, null)", "-");
    check("host IS NULL OR bytes IS NULL", "2+4");
    check("message LIKE (\"*OK\", \"No*\")", "1+4");
    check("message RLIKE \".*[oO](k|K|pened)\"", "1+2");
    check("@timestamp > \"1970-01-01T00:02:30Z\"", "3+4");
    check("@timestamp >= NOW() - 7 minutes", "3+4");
    check("TRANGE(@timestamp, 7 minutes)", "4");
}

#[test]
fn order_and_names() {
    check("FROM events-* | SORT bytes | KEEP bytes", "bytes / 1+2 / 5 / 10 / 30 / -");
    check("FROM events-* | SORT bytes DESC | KEEP bytes | LIMIT 3", "bytes / - / 30 / 10");
    check("FROM events-* METADATA _index, _id | KEEP _id, _index | LIMIT 1", "_id _index / 0 events-1");
    check(
        "FROM events-* | LIMIT 1 | DROP @*, m* | RENAME host AS h | EVAL h2 = h",
        "bytes h user h2 / 10 a ann a",
    );
    check("FROM events-* | MV_EXPAND user | KEEP user | LIMIT 4", "user / ann / ann / bob / bob");
    check(
        "FROM events-* | LIMIT 1 | GROK message \"%{WORD:what} %{WORD:how}\" | KEEP what, how",
        "what how / Login failed",
    );
    check(
        "FROM events-* | LIMIT 1 | DISSECT message \"%{what} %{how}\" | KEEP what, how",
        "what how / Login failed",
    );
    check(
        "SET unmapped_fields = \"nullify\"; FROM events-* | LIMIT 1 | EVAL x = nothing + 1 | KEEP x",
        "x / -",
    );
    check(
        "SET time_zone = \"+02:00\"; FROM events-* | LIMIT 1 | EVAL d = DATE_FORMAT(\"HH\", @timestamp) | KEEP d",
        "d / 02",
    );
}

#[test]
fn warnings_name_the_place() {
    let check = |query: &str, expected: &[&str]| {
        let mut found = outcome(query).warnings;
        found.retain(|warning| !warning.starts_with("No limit defined"));
        assert_eq!(found, expected, "{query}");
    };
    check(
        "FROM events-*\n| WHERE user == \"ann\"",
        &[
            "Line 2:9: evaluation of [user == \"ann\"] failed, treating result as null. Only first 20 failures recorded.",
            "Line 2:9: java.lang.IllegalArgumentException: single-value function encountered multi-value",
        ],
    );
    check(
        "ROW a = 1 / 0",
        &[
            "Line 1:9: evaluation of [1 / 0] failed, treating result as null. Only first 20 failures recorded.",
            "Line 1:9: java.lang.ArithmeticException: / by zero",
        ],
    );
    check("ROW host = [\"a\", \"c\"] | LOOKUP JOIN owners ON host", &["LOOKUP JOIN encountered multi-value"]);
    check(
        "ROW a = 1 | STATS b = MAX(a), b = MIN(a)",
        &["Line 1:19: Field 'b' shadowed by field at line 1:31"],
    );
}
