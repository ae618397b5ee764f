//! What the fuzz targets share: a few made-up events, a small schema, and checks that hold for any message.

use std::sync::{Arc, OnceLock};

use maxspan_diagnostics::{Diagnostic, Report, Source, render};
use maxspan_eql::Strictness;
use maxspan_event::Schema;
use maxspan_pipeline::hunt::{Collected, HuntOptions, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::query::{QueryLanguage, QueryOptions};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions, Selectivity};
use maxspan_rules::{CompileOptions, LoadedRules, ParsedFile};

/// Events that plans and rules are evaluated on. Field names are short, so that a fuzzer finds them.
pub const EVENTS: &str = r#"{"@timestamp":"2026-03-10T10:00:00.000Z","event":{"category":"process","type":["start","info"],"sequence":1},"host":{"id":"h1","os":{"type":"linux"}},"process":{"entity_id":"p1","parent":{"entity_id":"p0"},"name":"cmd.exe","args":["a","B c"],"pid":42},"k":"x","n":7,"d":1.5,"b":true,"ip":"192.0.2.7","t":"some free text","v":"1.2.3","f":{"g":"h"},"o":[{"x":1,"y":"a"},{"x":2,"y":"b"}]}
{"@timestamp":1773136801000,"event.category":"network","host.id":"h1","process.entity_id":"p2","process.parent.entity_id":"p1","k":["x","y"],"n":"8","d":-0.0,"b":"false","ip":["198.51.100.1","2001:db8::1"],"t":["one","two"],"v":"2.0.0-rc.1","u":18446744073709551615}
{"@timestamp":"2026-03-10T10:00:02.5Z","event":{"category":["file","process"]},"host":{"id":"h2"},"k":"","n":-9223372036854775808,"d":1e300,"t":"","u":null,"z":{"unmapped":[1,"2",null]}}
"#;

/// A type of each kind under a short name, and the ECS fields that the engine itself asks for.
const MAPPING: &str = r#"{"properties": {
    "@timestamp": {"type": "date"},
    "event": {"properties": {"category": {"type": "keyword"}, "type": {"type": "keyword"},
        "sequence": {"type": "long"}, "ingested": {"type": "date"}}},
    "host": {"properties": {"id": {"type": "keyword"}, "os": {"properties": {"type": {"type": "keyword"}}}}},
    "process": {"properties": {"entity_id": {"type": "keyword"}, "parent": {"properties":
        {"entity_id": {"type": "keyword"}}}, "name": {"type": "keyword"}, "args": {"type": "keyword"},
        "pid": {"type": "long"}}},
    "k": {"type": "keyword", "normalizer": "lowercase"}, "w": {"type": "wildcard"}, "n": {"type": "long"},
    "u": {"type": "unsigned_long"}, "d": {"type": "double"}, "b": {"type": "boolean"}, "ip": {"type": "ip"},
    "t": {"type": "text"}, "v": {"type": "version"}, "f": {"type": "flattened"}, "c": {"type": "constant_keyword"},
    "o": {"type": "nested", "properties": {"x": {"type": "long"}, "y": {"type": "keyword"}}},
    "dn": {"type": "date_nanos"}, "g": {"type": "geo_point"}
}}"#;

/// The small schema of the targets: suggestions of names look at every field, and the built-in table has thousands.
pub fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| Schema::empty().with_mapping(MAPPING).expect("the mapping of the targets is good"))
}

/// [`EVENTS`] as an input.
pub fn events() -> Reader {
    Reader::of_bytes("events", EVENTS.as_bytes(), InputOptions::default())
}

/// A query with the small schema.
pub fn query_options(language: QueryLanguage, strictness: Strictness) -> QueryOptions {
    // The defaults read the built-in table, once is enough.
    static DEFAULTS: OnceLock<QueryOptions> = OnceLock::new();
    let defaults =
        DEFAULTS.get_or_init(|| QueryOptions { schema: schema().clone(), ..QueryOptions::default() });
    QueryOptions { language, strictness, ..defaults.clone() }
}

/// Every place of a message fits its text, and the messages can be rendered.
pub fn check_messages(source: &Source, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let labels = diagnostic.labels.iter().map(|label| label.span);
        for span in labels.chain([diagnostic.span]) {
            let slice = source.text.get(span.start..span.end);
            assert!(slice.is_some(), "{span:?} of {diagnostic:?} does not fit the text");
        }
        assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
        Report::new(source, diagnostic);
    }
    // Rendering copies lines; a message each is enough to find what it cannot render.
    render(source, &diagnostics[..diagnostics.len().min(8)]);
}

/// What holds for any parsed rule file; then its rules are compiled with its exceptions and run over [`EVENTS`].
pub fn check_file(source: &Arc<Source>, file: ParsedFile) {
    check_messages(source, &file.diagnostics);
    if file.rules_failed + file.exceptions_failed > 0 {
        let explained = maxspan_diagnostics::has_errors(&file.diagnostics);
        assert!(explained, "a document failed and no message says why");
    }
    let mut loaded = LoadedRules { rules: file.rules, ..LoadedRules::default() };
    for list in file.lists {
        loaded.exceptions.insert_list(list);
    }
    for item in file.items {
        loaded.exceptions.insert_item(item);
    }
    run(loaded);
}

/// Compiles what was loaded, and runs it over [`EVENTS`].
pub fn run(loaded: LoadedRules) {
    let options = RuleBaseOptions {
        schema: schema().clone(),
        compile: CompileOptions::default(),
        normalize: true,
        only: Vec::new(),
        selectivity: Selectivity::default(),
    };
    let rules = RuleBase::new(loaded, &options);
    for (source, diagnostic) in rules.messages() {
        check_messages(source, std::slice::from_ref(diagnostic));
    }
    if rules.failed > 0 {
        assert!(rules.errors().next().is_some(), "a rule failed and no message says why");
    }
    let mut collected = Collected::default();
    let stats = hunt(&rules, &mut events(), &HuntOptions::default(), &mut collected);
    assert_eq!((stats.events, stats.events_failed), (3, 0));
    assert_eq!(stats.alerts + stats.building_blocks, collected.alerts.len() as u64);
}
