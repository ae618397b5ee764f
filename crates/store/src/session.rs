//! The one place where `DataFusion` is set up: memory, the folder for what does not fit, threads; and the runtime under
//! it.

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use maxspan_diagnostics::codes;
use tokio::runtime::{Builder, Runtime};

use crate::error::{Result, StoreError};
use crate::limits::SCAN_ROWS;
use crate::store::StoreOptions;

/// A session whose queries together take no more memory than allowed: what sorts or groups writes the rest into
/// temporary files, and what cannot says so.
pub fn session(options: StoreOptions) -> Result<SessionContext> {
    // Rows hold whole documents.
    session_of(options, SCAN_ROWS)
}

/// The same for rows of columns, so many of which are worked on at a time.
pub(crate) fn session_of(options: StoreOptions, rows: usize) -> Result<SessionContext> {
    let pool = Arc::new(FairSpillPool::new(options.memory));
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).with_disk_manager_builder(disk).build_arc();
    let runtime = runtime.map_err(|error| StoreError::of("a session", &error))?;
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_batch_size(rows)
        .with_information_schema(false);
    let parquet = &mut config.options_mut().execution.parquet;
    parquet.pushdown_filters = true;
    parquet.reorder_filters = true;
    parquet.bloom_filter_on_read = true;
    parquet.enable_page_index = true;
    parquet.schema_force_view_types = false;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// The threads that read and write.
pub(crate) fn runtime(threads: usize) -> Result<Runtime> {
    let built = Builder::new_multi_thread().worker_threads(threads.max(1)).enable_all().build();
    built.map_err(|error| StoreError::new(codes::STORE_FAILED, "threads", error.to_string()))
}

/// The error of a query, with its kind.
pub fn query_error(error: &DataFusionError) -> StoreError {
    StoreError::of("the query", error)
}
