//! The Python that tests of the event store take: other readers of its tables, and a server that speaks S3.
//!
//! It is made in the build directory, and made anew when `requirements.txt` changes. `MAXSPAN_PYTHON` names another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{cargo, paths};

/// The variable that tells tests where it is.
pub(super) const VARIABLE: &str = "MAXSPAN_PYTHON";

/// What is installed, from the workspace.
const REQUIREMENTS: &str = "crates/cli/tests/python/requirements.txt";

/// The Python with what tests need; none, with a word about it, where there is none. In CI that is an error.
pub(super) fn python() -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return Ok(Some(path.into()));
    }
    let made = made();
    match made {
        Ok(path) => Ok(Some(path)),
        Err(error) if paths::in_ci() => Err(error),
        Err(error) => {
            println!("tests that need Python are skipped: {error:#}");
            Ok(None)
        }
    }
}

fn made() -> Result<PathBuf> {
    let requirements = paths::workspace().join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).with_context(|| REQUIREMENTS.to_owned())?;
    let folder = cargo::metadata()?.target_directory.join("python-for-tests");
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    println!("making a Python for tests in {}", folder.display());
    let needs = || format!("it takes `python3` with `venv`, and the packages of {REQUIREMENTS} from PyPI");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).with_context(needs)?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(Path::new(&requirements))).with_context(needs)?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("{command:?}"))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}
