//! What is imported is found again: whole, once, in order, by time and by values, however its documents are written.

mod support;

use maxspan_event::Value;
use maxspan_store::{Equality, ScanOrder, ScanRequest, Streams};
use support::{event, import, scanned, store};

fn equals(field: &str, values: &[Value]) -> ScanRequest {
    let equality = Equality { field: field.to_owned(), values: values.to_vec() };
    ScanRequest { equals: vec![equality], ..ScanRequest::default() }
}

#[test]
fn documents_come_back_as_they_were_in_the_order_of_time() {
    let (_folder, store) = store();
    let late = event(9, r#","a":  [1, 2.50,"ü"]"#);
    let early = event(1, r#","process":{"name":"sh"}"#);
    let untimed = r#"{"b" : null}"#;
    let counts =
        import(&store, &[("logs-x-default", "", &late), ("logs-y-default", "1", &early), ("", "", untimed)]);
    assert_eq!((counts.stored, counts.duplicates, counts.files), (3, 0, 3));
    assert_eq!(scanned(&store, &ScanRequest::default()), [untimed, &early, &late]);
    let any = ScanRequest { order: ScanOrder::Any, ..ScanRequest::default() };
    let mut found = scanned(&store, &any);
    found.sort();
    assert_eq!(found, [&early, &late, untimed]);
    let chosen = ScanRequest { streams: Streams::new(["logs-y-*"]), ..ScanRequest::default() };
    assert_eq!(scanned(&store, &chosen), [untimed, &early]);
    let batch = store.scan(&chosen).expect("a scan").map(|batch| batch.expect("a batch")).collect::<Vec<_>>();
    let ids: Vec<_> =
        batch.iter().flat_map(|batch| batch.iter().map(|event| (event.index, event.id))).collect();
    assert_eq!(ids, [(None, None), (Some("logs-y-default"), Some("1"))]);
}

#[test]
fn bytes_that_are_no_utf8_come_back() {
    let (_folder, store) = store();
    let mut importer = maxspan_store::Importer::new(store.clone());
    let source = b"{\"a\":\"\xff\",\"process\":{\"name\":\"sh\"}}";
    let event = maxspan_store::NewEvent { index: None, id: None, source };
    importer.push(&event).expect("no error of the store").expect("a field that nobody wants may be anything");
    let bad = maxspan_store::NewEvent { index: None, id: None, source: b"{\"process\":{\"name\":\"\xff\"}}" };
    assert!(importer.push(&bad).expect("no error of the store").is_err(), "reported as hunts report it");
    assert_eq!(importer.finish().0.stored, 1);
    let batches: Vec<_> = store.scan(&ScanRequest::default()).expect("a scan").collect();
    let batch = batches[0].as_ref().expect("a batch");
    assert_eq!(batch.iter().next().expect("an event").source, source);
}

#[test]
fn what_is_imported_twice_is_stored_once() {
    let (_folder, store) = store();
    let (a, b, c) = (event(1, ""), event(2, r#","x":1"#), event(2, r#","x":2"#));
    let events = [("i", "1", a.as_str()), ("i", "1", &a), ("i", "2", &b), ("i", "", &c), ("i", "", &c)];
    let counts = import(&store, &events);
    assert_eq!((counts.stored, counts.duplicates), (4, 1), "copies without an id are events of their own");
    let counts = import(&store, &events);
    assert_eq!((counts.stored, counts.duplicates), (0, 5));
    let more = import(&store, &[("i", "3", &b), ("j", "1", &a), ("i", "", &c), ("i", "", &c), ("i", "", &c)]);
    assert_eq!((more.stored, more.duplicates), (3, 2), "as many copies as were there are left out");
    assert_eq!(scanned(&store, &ScanRequest::default()).len(), 7);
}

#[test]
fn windows_and_values_choose_events() {
    let (_folder, store) = store();
    let events: Vec<String> = (0..100)
        .map(|n| {
            event(
                n,
                &format!(r#","process":{{"entity_id":"e{}","pid":{n}}},"source.ip":"192.0.2.{n}""#, n / 10),
            )
        })
        .collect();
    let rows: Vec<_> = events.iter().map(|source| ("logs-x-default", "", source.as_str())).collect();
    import(&store, &rows);
    let check = |request: &ScanRequest, expected: std::ops::Range<usize>| {
        assert_eq!(scanned(&store, request), events[expected], "{request:?}");
    };
    check(&equals("process.entity_id", &[Value::text("e3")]), 30..40);
    check(&equals("process.entity_id", &[Value::text("none")]), 0..0);
    check(&equals("process.pid", &[Value::Long(7)]), 7..8);
    check(&equals("process.pid", &[Value::text("7")]), 0..0);
    check(&equals("source.ip", &[Value::Ip("192.0.2.5".parse().expect("an address"))]), 5..6);
    check(&equals("no.such.column", &[Value::text("x")]), 0..100);
    check(&equals("file.path", &[Value::text("x")]), 0..0);
    let second = |second: i64| Some(1_767_225_600_000_000_000 + second * 1_000_000_000);
    let window = ScanRequest { from: second(10), to: second(20), ..ScanRequest::default() };
    check(&window, 10..20);
    let exact = ScanRequest {
        from: second(10).map(|nanos| nanos + 123_456_789),
        to: second(19).map(|nanos| nanos + 123_456_789),
        ..ScanRequest::default()
    };
    check(&exact, 10..20);
    // Rules compare milliseconds.
    check(&ScanRequest { to: second(19).map(|nanos| nanos + 123_000_000), ..exact.clone() }, 10..20);
    check(&ScanRequest { to: second(19).map(|nanos| nanos + 122_999_999), ..exact }, 10..19);
    let both = ScanRequest { from: second(35), ..equals("process.entity_id", &[Value::text("e3")]) };
    check(&both, 35..40);
    check(&ScanRequest { from: second(86_400), ..ScanRequest::default() }, 0..0);
}

#[test]
fn columns_never_hide_what_they_do_not_hold() {
    let (_folder, store) = store();
    let long = "x".repeat(10_000);
    let many = (0..400).map(|n| format!("\"a{n}\"")).collect::<Vec<_>>().join(",");
    let sources = [
        event(1, r#","process":{"name":["sh","bash"]}"#),
        event(2, r#","process.name":"sh","process":{"name":"bash"}"#),
        event(3, r#","process":{"pid":"none"}"#),
        event(4, &format!(r#","process":{{"command_line":"{long}"}}"#)),
        event(5, &format!(r#","process":{{"args":[{many}]}}"#)),
        event(6, r#","source":{"ip":"localhost"}"#),
        event(7, r#","process":{"pid":18446744073709551615}"#),
    ];
    let rows: Vec<_> = sources.iter().map(|source| ("logs-x-default", "", source.as_str())).collect();
    import(&store, &rows);
    let check = |field: &str, value: Value, expected: &[usize]| {
        let expected: Vec<_> = expected.iter().map(|number| sources[*number].clone()).collect();
        assert_eq!(scanned(&store, &equals(field, &[value])), expected, "{field}");
    };
    check("process.name", Value::text("bash"), &[0, 1]);
    check("process.pid", Value::Long(5), &[2, 6]);
    check("process.command_line", Value::text(long.as_str()), &[3]);
    check("process.args", Value::text("a399"), &[4]);
    check("source.ip", Value::Ip("192.0.2.1".parse().expect("an address")), &[5]);
    check("user.name", Value::text("x"), &[]);
}

#[test]
fn the_time_of_coming_in_counts_where_that_is_asked_for() {
    let (_folder, store) = store();
    let late = event(1, r#","event":{"ingested":"2026-01-05T00:00:00Z"}"#);
    let twice = event(2, r#","event":{"ingested":["2026-01-03T00:00:00Z","2026-01-05T00:00:00Z"]}"#);
    let plain = event(3, "");
    for part in [&[&late, &plain][..], &[&twice]] {
        let rows: Vec<_> = part.iter().map(|source| ("logs-x-default", "", source.as_str())).collect();
        import(&store, &rows);
    }
    let day = 1_767_225_600_000_000_000 + 4 * 86_400_000_000_000;
    let request = |or_ingested: bool, from: i64| ScanRequest {
        from: Some(from),
        or_ingested,
        ..ScanRequest::default()
    };
    assert_eq!(scanned(&store, &request(false, day)), [""; 0]);
    assert_eq!(scanned(&store, &request(true, day)), [late, twice.clone()]);
    assert_eq!(
        scanned(&store, &request(true, day + 86_400_000_000_000)),
        [twice],
        "its column does not tell"
    );
}

#[test]
fn files_that_overlap_are_merged() {
    let (_folder, store) = store();
    let events: Vec<String> = (0..3_000).map(|n| event(n, &format!(r#","n":{n}"#))).collect();
    for part in 0..3 {
        let rows: Vec<_> = (events.iter().enumerate())
            .filter(|(n, _)| n % 3 == part)
            .map(|(n, source)| {
                (if n % 2 == 0 { "logs-x-default" } else { "logs-y-default" }, "", source.as_str())
            })
            .collect();
        import(&store, &rows);
    }
    assert_eq!(scanned(&store, &ScanRequest::default()), events);
}
