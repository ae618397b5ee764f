//! `docs/commands/reference.md`: the help of every command, as the program prints it.

use std::process::Command;

use crate::markdown::MADE;

const HEAD: &str = "\
The help of every command, as `maxspan help COMMAND` prints it. [Commands](README.md) has a guide for each.
";

pub(crate) fn page() -> String {
    let mut text = format!("# All flags\n\n{MADE} from the program; do not edit.\n\n{HEAD}");
    section(&[], &mut text);
    text
}

/// The help of a command, then those of the commands below it.
fn section(path: &[String], text: &mut String) {
    let help = help(path);
    let name = ["maxspan".to_owned()].iter().chain(path).cloned().collect::<Vec<_>>().join(" ");
    text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.trim_end()));
    for command in subcommands(&help) {
        section(&[path, &[command]].concat(), text);
    }
}

/// `maxspan help COMMAND`, as wide as a page; blanks at the ends of lines are left out.
fn help(path: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maxspan"));
    let output = command.arg("help").args(path).env("COLUMNS", "100").env("NO_COLOR", "1").output().unwrap();
    assert!(output.status.success(), "maxspan help {}", path.join(" "));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The names under `Commands:`, without `help` itself.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Names stand two columns from the left; further lines of a description further to the right.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
