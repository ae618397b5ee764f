//! LOOKUP JOIN and ENRICH: how values are compared, what is refused, and what limits hold.

use maxspan_diagnostics::Source;
use maxspan_esql::query::Column;
use maxspan_esql::run::{Options, Ranges, RunError, Table, Tables, run};
use maxspan_esql::{DataType, EventSchema, Query, Value, WithTables, analyze, parse, to_text};
use maxspan_event::{Schema, parse_ip};

fn column(name: &str, kind: DataType) -> Column {
    Column { name: name.to_owned(), kind }
}

fn ip(text: &str) -> Value {
    Value::Ip(parse_ip(text).unwrap())
}

/// Networks with their zones, and numbers with their names.
fn tables() -> Tables {
    let mut tables = Tables::default();
    let network = |range: &str, zone: &str| vec![Value::text(range), Value::text(zone)];
    let columns = vec![column("range", DataType::Keyword), column("zone", DataType::Keyword)];
    let rows = vec![
        network("10.0.0.0/8", "inside"),
        network("10.1.0.0/16", "lab"),
        network("192.0.2.1-192.0.2.9", "test"),
        network("10.1.2.3", "host"),
    ];
    tables.insert("networks", Table { columns, rows });
    let ranges = [("10.0.0.0", "10.255.255.255"), ("10.1.0.0", "10.1.255.255"), ("192.0.2.1", "192.0.2.9")];
    let mut ranges: Vec<_> = ranges.iter().map(|(from, to)| vec![(ip(from), ip(to))]).collect();
    ranges.push(vec![(ip("10.1.2.3"), ip("10.1.2.3")), (ip("::5"), ip("::6"))]);
    tables.insert_range_policy("zone-of", "networks", "range", Ranges { kind: DataType::Ip, rows: ranges });
    let columns = vec![column("code", DataType::Long), column("name", DataType::Keyword)];
    let rows = (1..=3).map(|code| vec![Value::Long(code), Value::text(format!("n{code}"))]).collect();
    tables.insert("codes", Table { columns, rows });
    tables.insert_policy("name-of", "codes", "code");
    tables
}

fn resolved(query: &str, tables: &Tables) -> Result<Query, String> {
    let source = Source::new("query", query);
    let (tree, found) = parse(query);
    assert!(found.is_empty(), "{query}: {found:?}");
    let events = EventSchema::on_demand(Schema::built_in());
    let (resolved, found) = analyze(&tree, &source, &WithTables::new(&events, tables));
    let said = found.iter().filter(|one| one.is_error()).map(|one| {
        let help = one.help.iter().map(|help| format!(" ({help})")).collect::<String>();
        format!("{} {}{help}", one.code, one.message)
    });
    resolved.ok_or_else(|| said.collect::<Vec<_>>().join("; "))
}

#[track_caller]
fn check(query: &str, expected: &str) {
    let tables = tables();
    let resolved = resolved(query, &tables).unwrap_or_else(|found| panic!("{query}: {found}"));
    let outcome = run(&resolved, &tables, &Options::default()).unwrap();
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        many => many.values().iter().map(|one| to_text(one.borrowed())).collect::<Vec<_>>().join("+"),
    };
    let rows = outcome.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" "));
    assert_eq!(rows.collect::<Vec<_>>().join(" / "), expected, "{query}");
}

#[track_caller]
fn check_refused(query: &str, expected: &str) {
    assert_eq!(resolved(query, &tables()).unwrap_err(), expected, "{query}");
}

#[test]
fn policies_over_ranges_find_what_holds_the_value() {
    let zone = |value: &str| format!("ROW a = {value} | ENRICH zone-of ON a WITH zone | KEEP zone");
    check(&zone("TO_IP(\"10.2.0.1\")"), "inside");
    check(&zone("TO_IP(\"10.1.0.0\")"), "inside+lab");
    check(&zone("TO_IP(\"10.1.2.3\")"), "inside+lab+host");
    check(&zone("TO_IP(\"11.0.0.0\")"), "-");
    check(&zone("TO_IP(\"9.255.255.255\")"), "-");
    check(&zone("TO_IP(\"192.0.2.9\")"), "test");
    check(&zone("TO_IP(\"::6\")"), "host");
    check(&zone("\"10.2.0.1\""), "inside");
    check(&zone("\"no address\""), "-");
    check(&zone("[\"192.0.2.1\", \"10.2.0.1\"]"), "inside+test");
}

#[test]
fn policies_compare_texts_where_types_differ() {
    check("ROW a = \"2\" | ENRICH name-of ON a WITH name | KEEP name", "n2");
    check("ROW a = 2 | ENRICH _any:name-of ON a WITH called = name | KEEP called", "n2");
    check("ROW a = 2.5 | ENRICH name-of ON a | KEEP name", "-");
    check("ROW code = [1, 3, 9] | ENRICH name-of | KEEP name", "n1+n3");
}

#[test]
fn joins_compare_numbers_of_any_width() {
    check("ROW code = 2 | LOOKUP JOIN codes ON code | KEEP name", "n2");
    check("ROW code = 2::unsigned_long | LOOKUP JOIN codes ON code | KEEP name", "n2");
    check("ROW code = 9 | LOOKUP JOIN codes ON code | KEEP code, name", "9 -");
    check("ROW code = 2, name = \"x\" | LOOKUP JOIN codes ON code | KEEP code, name", "2 n2");
    check(
        "ROW a = [1, 2] | MV_EXPAND a | RENAME a AS code | LOOKUP JOIN codes ON code | KEEP name",
        "n1 / n2",
    );
}

#[test]
fn what_cannot_be_looked_up_is_said() {
    check_refused(
        "ROW code = \"2\" | LOOKUP JOIN codes ON code",
        "MX2009 [code] is [keyword] here and [long] in the lookup index (convert it before, with EVAL)",
    );
    check_refused(
        "ROW code = 2 | LOOKUP JOIN code ON code",
        "MX2005 there is no lookup index [code] (did you mean [codes]?)",
    );
    check_refused(
        "ROW code = 2, nam = 1 | LOOKUP JOIN codes ON nam",
        "MX2006 the lookup index has no field [nam] (did you mean [name]?)",
    );
    check_refused(
        "ROW code = 2 | ENRICH name-off",
        "MX2005 there is no enrich policy [name-off] (did you mean [name-of]?)",
    );
    check_refused(
        "ROW code = 2 | ENRICH codes",
        "MX2005 the lookup table [codes] is no policy: it has no field to match (load it with `--match-field`)",
    );
    check_refused(
        "ROW code = 2 | ENRICH name-of WITH nam",
        "MX2006 the policy has no field [nam] (did you mean [name]?)",
    );
    check_refused(
        "ROW a = true | ENRICH zone-of ON a",
        "MX2009 ENRICH compares texts, numbers, dates and addresses, and this is [boolean]",
    );
    check_refused(
        "ROW a = 1 | ENRICH zone-of ON a",
        "MX2009 the policy looks into ranges of [ip], and this is [integer]",
    );
}

#[test]
fn a_field_that_nobody_knows_has_the_type_of_the_table() {
    let tables = tables();
    let check = |query: &str, field: &str| {
        let query = resolved(query, &tables).unwrap();
        let column = query.columns.iter().find(|column| column.name == field).unwrap();
        assert_eq!(column.kind, DataType::Long, "{query:?}");
    };
    check("FROM logs-* | RENAME my.code AS code | LOOKUP JOIN codes ON code", "my.code");
    check("FROM logs-* | ENRICH name-of ON my.code", "my.code");
}

#[test]
fn tables_count_against_the_memory_of_a_run() {
    let tables = tables();
    let query = resolved("ROW code = 2 | LOOKUP JOIN codes ON code", &tables).unwrap();
    let outcome =
        |memory| run(&query, &tables, &Options { memory_bytes: Some(memory), ..Options::default() });
    assert_eq!(outcome(100), Err(RunError::Memory { limit: 100 }));
    assert!(outcome(10_000).is_ok());
}

#[test]
fn many_ranges_agree_with_looking_at_all() {
    // A generator that anybody can follow: multiples of a prime.
    let number = |seed: i64| (seed * 7_919) % 1_000;
    let ranges: Vec<(i64, i64)> =
        (1..200).map(|seed| (number(seed), number(seed) + number(seed * 31) % 90)).collect();
    let rows = ranges.iter().zip(0..).map(|(_, row)| vec![Value::Null, Value::Long(row)]).collect();
    let columns = vec![column("range", DataType::Keyword), column("row", DataType::Long)];
    let mut tables = Tables::default();
    tables.insert("t", Table { columns, rows });
    let values = ranges.iter().map(|(from, to)| vec![(Value::Long(*from), Value::Long(*to))]).collect();
    tables.insert_range_policy("p", "t", "range", Ranges { kind: DataType::Long, rows: values });
    for value in 0..1_100 {
        let source = Source::new("query", format!("ROW a = {value} | ENRICH p ON a WITH row | KEEP row"));
        let query = analyze(&parse(&source.text).0, &source, &tables).0.unwrap();
        let outcome = run(&query, &tables, &Options::default()).unwrap();
        let found: Vec<i64> =
            outcome.rows[0][0].values().iter().filter_map(|one| one.borrowed().as_long()).collect();
        let expected: Vec<i64> = ranges
            .iter()
            .zip(0..)
            .filter_map(|((from, to), row)| (*from <= value && value <= *to).then_some(row))
            .collect();
        assert_eq!(found, expected, "{value}");
    }
}
