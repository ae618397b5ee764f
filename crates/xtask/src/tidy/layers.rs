//! What crates must not do: know a query language below the plan, or touch the world up to the engine.
//!
//! Events, plans and the engine work for every language. And up to the engine, all that happens is a function of what
//! is handed in, so that the same events give the same alerts; only `rules` reads files, in one module.

use crate::tidy::tree::{File, Tree};
use crate::tidy::{Violation, rust_text};

const LANGUAGES: [&str; 3] = ["eql", "kql", "esql"];
const WITHOUT_LANGUAGE: [&str; 3] = ["event", "plan", "engine"];
const PURE: [&str; 7] = ["diagnostics", "event", "plan", "eql", "kql", "esql", "engine"];

/// What pure crates must not write, and why.
const FORBIDDEN: [(&str, &str); 16] = [
    ("std::fs", "no input or output"),
    ("std::net::Tcp", "no input or output"),
    ("std::net::Udp", "no input or output"),
    ("std::io::std", "no input or output"),
    ("print!", "no input or output"),
    ("println!", "no input or output"),
    ("eprint!", "no input or output"),
    ("eprintln!", "no input or output"),
    ("std::env::", "no environment"),
    ("SystemTime::now", "time is handed in"),
    ("Instant::now", "time is handed in"),
    ("std::thread", "threads live in `pipeline`"),
    ("static mut", "no global state"),
    ("OnceLock", "no global state"),
    ("LazyLock", "no global state"),
    ("thread_local!", "no global state"),
];

/// Looks through the product code of all crates.
pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust().filter(|file| !file.is_test()).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Violation> {
    let Some((name, path)) = file.product_code() else {
        return Vec::new();
    };
    let mut violations = Vec::new();
    if WITHOUT_LANGUAGE.contains(&name) {
        violations.extend(languages(file));
    }
    if PURE.contains(&name) {
        violations.extend(effects(file, &FORBIDDEN));
    }
    if name == "rules" && path != "load.rs" && !path.starts_with("load/") {
        violations.extend(effects(file, &[("std::fs", "only load.rs reads files")]));
    }
    violations
}

fn languages(file: &File) -> Vec<Violation> {
    let code = rust_text::code_and_literals(&file.text);
    let mut violations = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let names = words(line).into_iter().filter(|word| LANGUAGES.contains(&word.as_str()));
        violations.extend(names.map(|word| {
            Violation::new(&file.path, index + 1, format!("`{word}`: this crate knows no query language"))
        }));
    }
    violations
}

fn effects(file: &File, forbidden: &[(&str, &str)]) -> Vec<Violation> {
    let code = spell_out_groups(&rust_text::code(&file.text));
    let mut violations = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for (what, why) in forbidden.iter().filter(|(what, _)| contains_word(line, what)) {
            violations.push(Violation::new(&file.path, index + 1, format!("`{what}` in this crate: {why}")));
        }
    }
    violations
}

/// The words of identifiers, in lower case: `EqlPlan`, `eql_plan` and `EQL_PLAN` are `eql`, `plan`.
fn words(line: &str) -> Vec<String> {
    let characters: Vec<char> = line.chars().collect();
    let mut words = vec![String::new()];
    for (index, character) in characters.iter().enumerate() {
        let previous = index.checked_sub(1).map_or(' ', |before| characters[before]);
        let next = characters.get(index + 1).copied().unwrap_or(' ');
        let begins = character.is_uppercase()
            && (previous.is_lowercase() || (previous.is_uppercase() && next.is_lowercase()));
        if begins || !character.is_alphabetic() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphabetic()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

/// Whether the text occurs and is not the tail of a longer name.
fn contains_word(line: &str, wanted: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(wanted).any(|(at, _)| !line[..at].ends_with(is_name))
}

/// Writes `use std::{fs, io::Read};` as `use std::fs, std::io::Read;`, each name on its line.
fn spell_out_groups(code: &str) -> String {
    const GROUP: &str = "use std::{";
    let Some(start) = code.find(GROUP) else {
        return code.to_owned();
    };
    let (before, rest) = code.split_at(start);
    let rest = &rest[GROUP.len()..];
    let (mut depth, mut end) = (1_usize, rest.len());
    let mut group = String::from("use ");
    let mut at_name = true;
    for (at, character) in rest.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            end = at + 1;
            break;
        }
        if at_name && character.is_alphabetic() {
            group.push_str("std::");
        }
        at_name = (at_name && !character.is_alphabetic()) || (depth == 1 && character == ',');
        group.push(character);
    }
    format!("{before}{group}{}", spell_out_groups(&rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::{check, words};
    use crate::tidy::tree::tests::tree;

    fn violations(path: &str, text: &str) -> Vec<String> {
        check(&tree(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn languages_are_reported_below_the_plan() {
        let text =
            "//! EQL is fine here.\nstruct EqlMode;\nfn lower_kql() {}\nconst NAME: &str = \"esql\";\n";
        let found = violations("crates/engine/src/lib.rs", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0], "crates/engine/src/lib.rs:2: `eql`: this crate knows no query language");
        assert_eq!(violations("crates/rules/src/lib.rs", text), Vec::<String>::new());
    }

    #[test]
    fn names_that_only_contain_a_language_pass() {
        assert_eq!(violations("crates/event/src/lib.rs", "let postgresql = sequel;"), Vec::<String>::new());
        assert_eq!(words("KQLParser x_eql")[..], ["kql", "parser", "x", "eql"].map(str::to_owned));
    }

    #[test]
    fn effects_are_reported_in_pure_crates() {
        for bad in [
            "use std::fs;",
            "use std::fs::File;",
            "use std::{fmt, fs};",
            "use std::{\n    fmt::{self, Write},\n    env::{var},\n};",
            "let now = std::time::Instant::now();",
            "println!(\"x\");",
            "static LOCK: OnceLock<u8> = OnceLock::new();",
            "static mut X: u8 = 0;",
            "use std::thread;",
            "std::net::TcpStream::connect(address)",
        ] {
            assert!(!violations("crates/plan/src/a.rs", bad).is_empty(), "{bad}");
            assert!(violations("crates/pipeline/src/a.rs", bad).is_empty(), "{bad}");
            assert!(violations("crates/plan/tests/a.rs", bad).is_empty(), "{bad}");
            let test = format!("#[cfg(test)]\nmod tests {{ fn f() {{ {bad} }} }}");
            assert!(violations("crates/plan/src/a.rs", &test).is_empty(), "{bad}");
        }
    }

    #[test]
    fn lines_are_kept_after_groups() {
        let found =
            violations("crates/eql/src/a.rs", "use std::{\n    fmt,\n    fs,\n};\n\nuse std::thread;\n");
        assert_eq!(found.len(), 2);
        assert!(
            found[0].starts_with("crates/eql/src/a.rs:3:") && found[1].starts_with("crates/eql/src/a.rs:6:")
        );
    }

    #[test]
    fn harmless_names_pass() {
        for good in
            ["use std::{fmt::Write, net::IpAddr};", "// std::fs", "let s = \"std::fs\";", "my_print!(a)"]
        {
            assert_eq!(violations("crates/plan/src/a.rs", good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn rules_read_files_in_one_module() {
        let text = "use std::fs;\n";
        assert_eq!(violations("crates/rules/src/load.rs", text), Vec::<String>::new());
        assert_eq!(violations("crates/rules/src/load/folder.rs", text), Vec::<String>::new());
        assert!(violations("crates/rules/src/alert.rs", text)[0].contains("only load.rs reads files"));
    }
}
