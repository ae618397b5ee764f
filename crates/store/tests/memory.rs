//! The limit on memory: what sorts puts the rest aside, what cannot says so, and what is imported within it is whole.

mod support;

use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::{ExecutionPlan, collect};
use maxspan_diagnostics::codes;
use maxspan_store::maintain::CompactOptions;
use maxspan_store::session::{query_error, session};
use maxspan_store::{ScanRequest, StoreOptions, Streams};
use support::{event, import, scanned, store_with};

const MEMORY: usize = 64 << 20;

fn little() -> StoreOptions {
    StoreOptions { memory: MEMORY, threads: 2 }
}

/// Bytes that a plan and all below it wrote into temporary files.
fn spilled(plan: &dyn ExecutionPlan) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or_default();
    own + plan.children().iter().map(|child| spilled(child.as_ref())).sum::<usize>()
}

#[test]
fn a_sort_of_more_than_the_memory_goes_to_files() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let context = session(little()).expect("a session");
        let text = "select repeat('x', 400) || value as v from generate_series(1, 400000) order by v desc";
        let plan = context.sql(text).await.expect("a query").create_physical_plan().await.expect("a plan");
        let found = collect(plan.clone(), context.task_ctx()).await.expect("an answer");
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 400_000);
        assert!(spilled(plan.as_ref()) > MEMORY, "{}", spilled(plan.as_ref()));
    });
}

#[test]
fn what_cannot_be_put_aside_says_so() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let context = session(little()).expect("a session");
        let text = "select array_agg(repeat('x', 400) || value) from generate_series(1, 400000)";
        let failed = context.sql(text).await.expect("a query").collect().await.expect_err("too much");
        assert_eq!(query_error(&failed).code, codes::STORE_MEMORY, "{failed}");
    });
}

#[test]
fn an_import_within_little_memory_is_whole() {
    let (_folder, store) = store_with(little());
    let filler = "x".repeat(20_000);
    let events: Vec<String> =
        (0..2_500).map(|n| event(n, &format!(r#","n":{n},"filler":"{filler}""#))).collect();
    let rows: Vec<_> = events.iter().map(|source| ("logs-x-default", "", source.as_str())).collect();
    let counts = import(&store, &rows);
    assert_eq!((counts.stored, counts.files > 2), (2_500, true), "{counts:?}");
    assert_eq!(scanned(&store, &ScanRequest::default()), events);
    let compacted = store.compact(&Streams::default(), CompactOptions::default()).expect("a compaction");
    assert!(compacted.files_after < compacted.files_before, "{compacted:?}");
    assert_eq!(scanned(&store, &ScanRequest::default()), events);
}

#[test]
fn files_that_overlap_beyond_the_memory_are_an_error_with_a_way_out() {
    let (_folder, store) = store_with(little());
    let events: Vec<String> = (0..60).map(|n| event(n, &format!(r#","n":{n}"#))).collect();
    for part in 0..6 {
        let mine = events.iter().enumerate().filter(|(n, _)| n % 6 == part || *n == 59 - part);
        let rows: Vec<_> = mine.map(|(_, source)| ("logs-x-default", "", source.as_str())).collect();
        import(&store, &rows);
    }
    let errors: Vec<_> =
        store.scan(&ScanRequest::default()).expect("a scan").filter_map(Result::err).collect();
    assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [codes::STORE_MEMORY]);
    store.compact(&Streams::default(), CompactOptions::default()).expect("a compaction");
    store.compact(&Streams::default(), CompactOptions::default()).expect("a compaction");
    store.compact(&Streams::default(), CompactOptions::default()).expect("a compaction");
    let mut found = scanned(&store, &ScanRequest::default());
    found.dedup();
    assert_eq!(found, events);
}
