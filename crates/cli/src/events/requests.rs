//! What a hunt reads of a store: the streams that some rule looks into, each within the times that these rules look at.

use std::collections::BTreeMap;

use maxspan_event::index::IndexPatterns;
use maxspan_event::{Field, Schema};
use maxspan_pipeline::executions::{EXECUTIONS_INDEX, HUNTS_INDEX};
use maxspan_pipeline::rule_base::RuleBase;
use maxspan_store::columns::{INGESTED, Layout, TIMESTAMP};
use maxspan_store::{ScanOrder, ScanRequest, Store, StoreError, Streams};

/// From and to, and whether the time of ingestion counts too; none for everything.
type Times = Option<(i64, i64, bool)>;

/// What a rule looks at.
struct Looks<'a> {
    indices: &'a IndexPatterns,
    indicators: Option<&'a IndexPatterns>,
    times: Option<(i64, i64)>,
    /// Where it reads the time of an event.
    read: Vec<&'a Field>,
}

/// What to read, the streams of the same times together.
pub(super) fn requests(rules: &RuleBase, store: &Store) -> Result<Vec<ScanRequest>, StoreError> {
    let fields = rules.rule_set.decoder().fields();
    let all = rules.rule_set.rules().map(|(_, rule)| Looks {
        indices: &rule.indices,
        indicators: rule.indicator_indices(),
        times: rule.times,
        read: rule.primary.iter().map(|slot| fields.field(*slot)).collect(),
    });
    let all: Vec<Looks<'_>> = all.collect();
    let mut by_times: BTreeMap<Times, Vec<String>> = BTreeMap::new();
    for stream in store.streams(&without_records(Streams::default()))? {
        let chosen = |indices: &IndexPatterns| Streams::of_any([indices]).may_match(&stream.name);
        let looking: Vec<&Looks<'_>> = all.iter().filter(|rule| chosen(rule.indices)).collect();
        // Indicators count however old they are.
        if all.iter().any(|rule| rule.indicators.is_some_and(chosen)) {
            by_times.entry(None).or_default().push(stream.name);
        } else if !looking.is_empty() {
            by_times.entry(times(store.layout(), &looking)).or_default().push(stream.name);
        }
    }
    Ok(by_times.into_iter().map(|(times, streams)| request(times, &streams)).collect())
}

/// The streams but for those of records, which are no events, however wide a pattern is.
pub(super) fn without_records(streams: Streams) -> Streams {
    streams.without(Streams::exactly([EXECUTIONS_INDEX, HUNTS_INDEX]))
}

fn request(times: Times, streams: &[String]) -> ScanRequest {
    let streams = Streams::exactly(streams.iter().map(String::as_str));
    let request = ScanRequest { streams, order: ScanOrder::Any, ..ScanRequest::default() };
    let Some((from, to, or_ingested)) = times else { return request };
    let (from, to) = ((from != i64::MIN).then_some(from), (to != i64::MAX).then_some(to));
    ScanRequest { from, to, or_ingested, ..request }
}

/// The times that rules look at, where they all go by times that columns have as the rules read them.
fn times(layout: &Layout, looking: &[&Looks<'_>]) -> Times {
    let mut spans = looking.iter().map(|rule| rule.times);
    let first = spans.next()??;
    let widest = |(from, to): (i64, i64), span: Option<(i64, i64)>| {
        span.map(|(start, end)| (from.min(start), to.max(end)))
    };
    let (from, to) = spans.try_fold(first, widest)?;
    let by_time = Schema::built_in().field(TIMESTAMP);
    let by_ingestion = layout.column(INGESTED).map(|column| &column.field);
    let mut read = looking.iter().flat_map(|rule| rule.read.iter().copied());
    let known = |field: &Field| *field == by_time || Some(field) == by_ingestion;
    let or_ingested = read.clone().any(|field| *field != by_time);
    read.all(known).then_some((from, to, or_ingested))
}
