//! The tutorial, done step by step as a reader does it: files are written, commands are run, and what they print must be
//! what the page shows. `MAXSPAN_UPDATE=1` writes what they print into the page.
//!
//! Blocks: `file=PATH` writes a file, `append=PATH` adds to it, `sed file=PATH` replaces text in it, `console` runs the
//! lines that begin with `$ `. Standard error stands after standard output; the time that a run took is left out.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::Place;

#[test]
fn the_tutorial_can_be_followed() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tutorial.md");
    let text = fs::read_to_string(&page).unwrap();
    let place = Place::new();
    let mut followed = String::new();
    let mut commands = 0;
    for part in parts(&text) {
        match part {
            Part::Prose(text) => followed += text,
            Part::Block { fence, info, content } => {
                let content = follow(&place, info, content, &mut commands);
                followed += &format!("{fence}{info}\n{content}{fence}\n");
            }
        }
    }
    assert!(commands > 8, "{commands} commands were run");
    if std::env::var_os("MAXSPAN_UPDATE").is_some() {
        fs::write(&page, followed).unwrap();
        return;
    }
    for (shown, came) in text.lines().zip(followed.lines()) {
        assert_eq!(shown, came, "in docs/tutorial.md; MAXSPAN_UPDATE=1 writes what commands print");
    }
    assert_eq!(text, followed);
}

enum Part<'a> {
    Prose(&'a str),
    Block { fence: &'a str, info: &'a str, content: &'a str },
}

/// The page in pieces, without a byte lost.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = fence_at(rest) {
        parts.push(Part::Prose(&rest[..start]));
        rest = &rest[start..];
        let fence = &rest[..rest.len() - rest.trim_start_matches('`').len()];
        let line_end = rest.find('\n').unwrap();
        let info = &rest[fence.len()..line_end];
        let body = &rest[line_end + 1..];
        let end = format!("\n{body}").find(&format!("\n{fence}\n")).unwrap();
        parts.push(Part::Block { fence, info, content: &body[..end] });
        rest = &body[end + fence.len() + 1..];
    }
    parts.push(Part::Prose(rest));
    parts
}

/// Where the next fence begins a line.
fn fence_at(text: &str) -> Option<usize> {
    if text.starts_with("```") { Some(0) } else { text.find("\n```").map(|at| at + 1) }
}

/// Does what the block says; gives the block's content as it should be shown.
fn follow(place: &Place, info: &str, content: &str, commands: &mut usize) -> String {
    let (language, attribute) = info.split_once(' ').unwrap_or((info, ""));
    match (language, attribute.split_once('=')) {
        ("console", None) => return console(place, content, commands),
        ("sed", Some(("file", name))) => {
            let mut text = place.read(name);
            for line in content.lines() {
                let pieces: Vec<&str> = line.split('/').collect();
                // Text with slashes would be cut wrongly.
                assert_eq!(pieces.len(), 4, "{line}");
                assert!(text.contains(pieces[1]), "{line}");
                text = text.replace(pieces[1], pieces[2]);
            }
            place.write(name, text);
        }
        (_, Some(("file", name))) => drop(place.write(name, content)),
        (_, Some(("append", name))) => drop(place.write(name, place.read(name) + content)),
        _ => {}
    }
    content.to_owned()
}

fn console(place: &Place, content: &str, commands: &mut usize) -> String {
    let mut out = String::new();
    for command in content.lines().filter_map(|line| line.strip_prefix("$ ")) {
        *commands += 1;
        out += &format!("$ {command}\n");
        if let Some(paths) = command.strip_prefix("cp -r ") {
            let (from, to) = paths.split_once(' ').unwrap();
            copy(&place.path().join(from), &place.path().join(to));
            continue;
        }
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words[0], "maxspan", "{command}");
        let run = place.run(&words[1..]);
        assert!(run.code == 0 || run.code == 1, "{command}: {}", run.err);
        let printed = run.out + &run.err;
        for line in printed.trim_end().lines() {
            out += &without_time(line);
            out += "\n";
        }
    }
    out
}

/// The line without the time at its end (`12 ms`, `1.9 s`).
fn without_time(line: &str) -> String {
    let mut words = line.rsplitn(3, ' ');
    let (Some(unit @ ("ms" | "s")), Some(number)) = (words.next(), words.next()) else {
        return line.to_owned();
    };
    let rest = words.next().unwrap_or_default();
    if number.parse::<f64>().is_ok() { format!("{rest} … {unit}") } else { line.to_owned() }
}

fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
