//! Which crate may depend on what. The table is the one of the architecture; a new line in it is a decision.
//!
//! Only ordinary and build dependencies count. Tests may use what they need.

use crate::cargo::{Dependency, Metadata, Package};
use crate::tidy::Violation;
use crate::tidy::tree::Tree;

/// What one crate may depend on.
struct Allowed {
    /// The folder under `crates/`.
    name: &'static str,
    /// Crates of the workspace, by folder.
    workspace: &'static [&'static str],
    /// Packages of others.
    third_party: &'static [&'static str],
}

const ALLOWED: [Allowed; 12] = [
    Allowed { name: "diagnostics", workspace: &[], third_party: &["codespan-reporting", "serde"] },
    Allowed {
        name: "event",
        workspace: &[],
        third_party: &["fearless_simd", "jiff", "rustc-hash", "serde", "serde_json", "sha2", "simdutf8"],
    },
    Allowed {
        name: "plan",
        workspace: &["diagnostics", "event"],
        third_party: &["regex", "rustc-hash", "unicode-segmentation"],
    },
    Allowed { name: "eql", workspace: &["diagnostics", "event", "plan"], third_party: &[] },
    Allowed { name: "kql", workspace: &["diagnostics", "event", "plan"], third_party: &[] },
    Allowed {
        name: "esql",
        workspace: &["diagnostics", "event", "plan", "kql"],
        third_party: &["fancy-regex", "jiff", "rustc-hash", "serde", "serde_json", "unicode-segmentation"],
    },
    Allowed {
        name: "engine",
        workspace: &["event", "plan"],
        third_party: &["aho-corasick", "hashbrown", "rustc-hash"],
    },
    Allowed {
        name: "rules",
        workspace: &["diagnostics", "event", "plan", "eql", "kql", "esql", "engine"],
        third_party: &[
            "jiff",
            "rustc-hash",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "thiserror",
            "toml",
            "toml_writer",
        ],
    },
    Allowed {
        name: "pipeline",
        workspace: &["diagnostics", "event", "plan", "eql", "kql", "esql", "engine", "rules"],
        third_party: &[
            "csv",
            "fearless_simd",
            "flate2",
            "memchr",
            "pulldown-cmark",
            "rustc-hash",
            "serde",
            "serde_json",
            "similar",
            "tempfile",
            "toml",
            "walkdir",
            "zstd",
        ],
    },
    Allowed {
        name: "store",
        workspace: &["diagnostics", "event", "plan", "esql"],
        third_party: &[
            "arrow",
            "bytes",
            "chrono",
            "datafusion",
            "deltalake",
            "futures",
            "object_store",
            "parquet",
            "rustc-hash",
            "serde_json",
            "tokio",
            "url",
        ],
    },
    Allowed {
        name: "cli",
        workspace: &[
            "diagnostics",
            "event",
            "plan",
            "eql",
            "kql",
            "esql",
            "engine",
            "rules",
            "pipeline",
            "store",
        ],
        third_party: &[
            "anyhow",
            "clap",
            "clap_complete",
            "comfy-table",
            "indicatif",
            "mimalloc",
            "notify",
            "quick-junit",
            "serde_json",
            "similar",
            "toml",
            "walkdir",
        ],
    },
    Allowed {
        name: "xtask",
        workspace: &[],
        third_party: &["anyhow", "flate2", "jiff", "pulldown-cmark", "serde", "serde_json", "toml", "wait4"],
    },
];

/// Compares every package with the table.
pub(crate) fn check(metadata: &Metadata, tree: &Tree) -> Vec<Violation> {
    metadata.packages.iter().flat_map(|package| check_package(package, tree)).collect()
}

fn check_package(package: &Package, tree: &Tree) -> Vec<Violation> {
    let folder = package.manifest_path.parent().and_then(|path| path.file_name()).unwrap_or_default();
    let folder = folder.to_string_lossy();
    let manifest = format!("crates/{folder}/Cargo.toml");
    let Some(allowed) = ALLOWED.iter().find(|allowed| allowed.name == folder) else {
        let message = format!("`{folder}` is not in the table of crates/xtask/src/tidy/dependencies.rs");
        return vec![Violation::new(&manifest, 1, message)];
    };
    let mut violations = Vec::new();
    if package.name != folder && package.name != format!("maxspan-{folder}") {
        violations.push(Violation::new(
            &manifest,
            1,
            format!("the package in `{folder}` is `maxspan-{folder}`"),
        ));
    }
    for dependency in package.dependencies.iter().filter(|dependency| !allowed.has(dependency)) {
        let message = format!("`{folder}` may not depend on `{}`", dependency.name);
        violations.push(Violation::new(&manifest, line_of(tree, &manifest, &dependency.name), message));
    }
    violations
}

impl Allowed {
    fn has(&self, dependency: &Dependency) -> bool {
        if dependency.kind.as_deref() == Some("dev") {
            return true;
        }
        match &dependency.path {
            Some(path) => self.workspace.iter().any(|name| path.ends_with(name)),
            None => self.third_party.contains(&dependency.name.as_str()),
        }
    }
}

/// Where the manifest names the dependency; 1 where it is not found.
fn line_of(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let is_entry =
        |line: &str| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    let text = tree.get(manifest).map_or("", |file| &file.text);
    text.lines().position(is_entry).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::cargo::{Dependency, Metadata, Package};
    use crate::tidy::tree::tests::tree;

    fn dependency(name: &str, kind: Option<&str>, path: Option<&str>) -> Dependency {
        Dependency { name: name.to_owned(), kind: kind.map(str::to_owned), path: path.map(Into::into) }
    }

    /// The violations of a package in `crates/<folder>`.
    fn violations(folder: &str, name: &str, dependencies: Vec<Dependency>) -> Vec<String> {
        let manifest_path = format!("/somewhere/crates/{folder}/Cargo.toml").into();
        let package = Package { name: name.to_owned(), manifest_path, dependencies };
        let metadata = Metadata { packages: vec![package], target_directory: "target".into() };
        let manifest = "[dependencies]\nregex.workspace = true\nmaxspan-eql = { path = \"../eql\" }\n";
        let tree = tree(&[("crates/engine/Cargo.toml", manifest)]);
        check(&metadata, &tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_table_allows_passes() {
        let allowed = vec![
            dependency("rustc-hash", None, None),
            dependency("maxspan-plan", None, Some("/somewhere/crates/plan")),
            dependency("maxspan-eql", Some("dev"), Some("/somewhere/crates/eql")),
            dependency("proptest", Some("dev"), None),
        ];
        assert_eq!(violations("engine", "maxspan-engine", allowed), Vec::<String>::new());
    }

    #[test]
    fn other_crates_and_packages_are_reported_at_their_line() {
        let forbidden = vec![
            dependency("maxspan-eql", None, Some("/somewhere/crates/eql")),
            dependency("regex", Some("build"), None),
        ];
        assert_eq!(
            violations("engine", "maxspan-engine", forbidden),
            [
                "crates/engine/Cargo.toml:3: `engine` may not depend on `maxspan-eql`",
                "crates/engine/Cargo.toml:2: `engine` may not depend on `regex`",
            ]
        );
    }

    #[test]
    fn unknown_crates_and_other_names_are_reported() {
        assert!(violations("common", "maxspan-common", vec![])[0].contains("is not in the table"));
        assert!(violations("engine", "motor", vec![])[0].contains("`maxspan-engine`"));
    }
}
