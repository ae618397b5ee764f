//! Developer tasks: `cargo xtask <task>`.

mod codegen;
mod paths;

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("codegen") => codegen::run(),
        other => anyhow::bail!("unknown task {other:?}"),
    }
}
