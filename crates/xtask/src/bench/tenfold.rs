//! A rule file as another rule: a new id, and a suffix at the constants of its query, so that what the copies look for
//! differs as the rules of a larger corpus would.
//!
//! Constants of what rules search for get the suffix (`SEARCHED`): names, paths, command lines. In a rule that has none
//! of these, all constants get it but addresses and those of fields that only say of what kind an event is (`KINDS`).
//! What a query negates stays: exclusions that exclude nothing would make rules match more. Works on the text, by words
//! and strings; what it does not understand stays as it is.

/// Fields, or the begin of their names, whose constants are changed.
const SEARCHED: [&str; 24] = [
    "destination.domain",
    "dll.name",
    "dll.path",
    "dns.question.name",
    "file.name",
    "file.path",
    "powershell.file.script_block_text",
    "process.Ext.effective_parent.executable",
    "process.args",
    "process.command_line",
    "process.executable",
    "process.name",
    "process.parent.args",
    "process.parent.command_line",
    "process.parent.executable",
    "process.parent.name",
    "process.pe.original_file_name",
    "process.title",
    "process.working_directory",
    "registry.data.strings",
    "registry.path",
    "registry.value",
    "url.",
    "winlog.event_data.",
];

/// Fields, or the begin of their names, whose constants are never changed.
const KINDS: [&str; 10] = [
    "data_stream.",
    "event.category",
    "event.dataset",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.provider",
    "event.type",
    "host.os.",
    "process.code_signature.",
];

/// A copy, and in how many places its query differs.
pub(super) struct Copy {
    pub(super) text: String,
    pub(super) constants: usize,
}

/// The copy of this number; number 0 is the file itself.
pub(super) fn copy(text: &str, number: u32) -> Copy {
    if number == 0 {
        return Copy { text: text.to_owned(), constants: 0 };
    }
    let suffix = format!("k{number}");
    let is_kql = text.lines().any(|line| line == "language = \"kuery\"");
    let begins_with = |field: &str, names: &[&str]| names.iter().any(|name| field.starts_with(name));
    let is_free = |field: &str| !begins_with(field, &KINDS) && field.rsplit('.').next() != Some("ip");
    let searched = change_query(text, is_kql, &suffix, &|field| begins_with(field, &SEARCHED));
    let changed = match searched {
        Copy { constants: 0, .. } => change_query(text, is_kql, &suffix, &|field| is_free(field)),
        some => some,
    };
    Copy { text: with_new_id(&changed.text, number), ..changed }
}

/// Changes the first digits of the id, which has random ones.
fn with_new_id(text: &str, number: u32) -> String {
    const KEY: &str = "\nrule_id = \"";
    let Some(at) = text.find(KEY).map(|at| at + KEY.len()) else { return text.to_owned() };
    let Some(digits) = text.get(at..at + 8).and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return text.to_owned();
    };
    let digits = digits ^ number.wrapping_mul(0x9e37_79b9);
    format!("{}{digits:08x}{}", &text[..at], &text[at + 8..])
}

/// Changes the constants of chosen fields in the query, which is a text in three quotes.
fn change_query(text: &str, is_kql: bool, suffix: &str, wanted: &dyn Fn(&str) -> bool) -> Copy {
    for quotes in ["'''", "\"\"\""] {
        let Some(begin) = text.find(&format!("\nquery = {quotes}")) else { continue };
        let begin = begin + "\nquery = ".len() + quotes.len();
        let Some(length) = text[begin..].find(quotes) else { continue };
        let query = &text[begin..begin + length];
        let mut walk = Walk {
            rest: query,
            is_kql,
            suffix,
            wanted,
            field: String::new(),
            depth: 0,
            negated: None,
            constants: 0,
        };
        let changed = walk.run();
        let text = format!("{}{changed}{}", &text[..begin], &text[begin + length..]);
        return Copy { text, constants: walk.constants };
    }
    Copy { text: text.to_owned(), constants: 0 }
}

/// A walk over the words and strings of a query.
struct Walk<'a> {
    rest: &'a str,
    is_kql: bool,
    suffix: &'a str,
    wanted: &'a dyn Fn(&str) -> bool,
    /// The field that was named last.
    field: String,
    /// How many brackets are open.
    depth: usize,
    /// How many were where the negation stands that still holds.
    negated: Option<usize>,
    constants: usize,
}

impl<'a> Walk<'a> {
    fn run(&mut self) -> String {
        let mut output = String::new();
        while let Some(next) = self.rest.chars().next() {
            if let Some(inner) = self.rest.strip_prefix(RAW) {
                output += self.take(RAW.len());
                let inner = self.take(inner.find(RAW).unwrap_or(inner.len()));
                output += &self.constant(inner);
                output += self.take(RAW.len().min(self.rest.len()));
            } else if next == '"' {
                output += self.take(1);
                let inner = self.take(string_end(self.rest));
                output += &self.constant(inner);
                output += self.take(1.min(self.rest.len()));
            } else if self.is_word(next) {
                let word = self.take(self.word_end());
                output += &self.word(word);
            } else {
                let mark = self.take(next.len_utf8());
                self.mark(next);
                output += mark;
            }
        }
        output
    }

    /// A negation holds for what follows, up to the end of a bracket, or to `and` or `or` beside it.
    fn mark(&mut self, mark: char) {
        match mark {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                self.negated = self.negated.filter(|depth| *depth < self.depth);
            }
            '!' => _ = self.negated.get_or_insert(self.depth),
            _ => {}
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Unquoted text in KQL has all characters but those that mean something.
    fn is_word(&self, character: char) -> bool {
        if self.is_kql {
            !character.is_whitespace() && !"(){}\":<>".contains(character)
        } else {
            character.is_alphanumeric() || "._@".contains(character)
        }
    }

    /// Where the word at the begin ends; what is escaped belongs to it.
    fn word_end(&self) -> usize {
        let mut escaped = false;
        for (at, character) in self.rest.char_indices() {
            if !escaped && !self.is_word(character) {
                return at;
            }
            escaped = self.is_kql && !escaped && character == '\\';
        }
        self.rest.len()
    }

    /// A field, a keyword, the name of a function, or in KQL a value.
    fn word(&mut self, word: &str) -> String {
        let next = self.rest.trim_start().chars().next();
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "not" => _ = self.negated.get_or_insert(self.depth),
            "and" | "or" => self.negated = self.negated.filter(|depth| *depth < self.depth),
            _ => {}
        }
        let is_keyword = ["and", "or", "not"].contains(&lower.as_str());
        let is_call = !self.is_kql && matches!(self.rest.chars().next(), Some('(' | '~'));
        if self.is_kql && !is_keyword && !matches!(next, Some(':' | '<' | '>')) {
            return self.constant(word);
        }
        let is_list = !self.is_kql && ["in", "like", "regex"].contains(&word);
        if !is_keyword && !is_call && !is_list {
            word.clone_into(&mut self.field);
        }
        word.to_owned()
    }

    /// A constant with the suffix, before the wildcards at its end; one of wildcards only stays.
    fn constant(&mut self, text: &str) -> String {
        let kept = text.trim_end_matches('*');
        let is_escaped = (kept.len() - kept.trim_end_matches('\\').len()) % 2 == 1;
        let is_open = kept.trim_matches(['*', '?']).is_empty();
        if is_open || self.negated.is_some() || !(self.wanted)(&self.field) {
            return text.to_owned();
        }
        self.constants += 1;
        let end = if is_escaped { text.len() } else { kept.len() };
        format!("{}{}{}", &text[..end], self.suffix, &text[end..])
    }
}

/// What EQL texts without escapes are between.
const RAW: &str = "\"\"\"";

/// Where a text in quotes ends, whose first quote is gone; an escaped quote does not end it.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '\\' => escaped = !escaped,
            '"' if !escaped => return at,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::copy;

    fn check(language: &str, query: &str, expected: &str, constants: usize) {
        let rule = |id: &str, query: &str| {
            format!(
                "[rule]\nrule_id = \"{id}-0000-4000-8000-000000000000\"\nlanguage = \"{language}\"\nquery = \'\'\'\n{query}\n\'\'\'\n"
            )
        };
        let copied = copy(&rule("00000000", query), 1);
        assert_eq!(copied.text, rule("9e3779b9", expected));
        assert_eq!(copied.constants, constants, "{query}");
    }

    #[test]
    fn constants_of_searched_fields_change_in_eql() {
        let check = |query: &str, expected: &str, constants: usize| check("eql", query, expected, constants);
        check(
            r#"process where event.type == "start" and process.name : ("a.exe", "b*")"#,
            r#"process where event.type == "start" and process.name : ("a.exek1", "bk1*")"#,
            2,
        );
        check(
            r#"file where file.path : "?:\\x\\" and true"#,
            r#"file where file.path : "?:\\x\\k1" and true"#,
            1,
        );
        check(r#"any where process.args : "*" "#, r#"any where process.args : "*" "#, 0);
        check(
            r#"any where startsWith~(process.name, "a") and process.args like~ ("\"x\"*")"#,
            r#"any where startsWith~(process.name, "ak1") and process.args like~ ("\"x\"k1*")"#,
            2,
        );
        check(
            r#"any where process.command_line regex """a"b.*""""#,
            r#"any where process.command_line regex """a"b.k1*""""#,
            1,
        );
    }

    #[test]
    fn what_is_negated_stays() {
        let check = |query: &str, expected: &str, constants: usize| check("eql", query, expected, constants);
        check(
            r#"any where not process.name : ("a", "b") and file.name : "c""#,
            r#"any where not process.name : ("a", "b") and file.name : "ck1""#,
            1,
        );
        check(
            r#"any where (file.name == "c" and not (process.name : "a" or file.path : "b")) or file.name == "d""#,
            r#"any where (file.name == "ck1" and not (process.name : "a" or file.path : "b")) or file.name == "dk1""#,
            2,
        );
        check(
            r#"sequence [any where file.name != "a"] ![any where file.name == "b"] [any where file.name == "c"]"#,
            r#"sequence [any where file.name != "a"] ![any where file.name == "b"] [any where file.name == "ck1"]"#,
            1,
        );
    }

    #[test]
    fn without_searched_fields_others_change_but_not_kinds() {
        let check =
            |query: &str, expected: &str, constants: usize| check("kuery", query, expected, constants);
        check(
            "event.dataset:a.b and event.action:(Go or \"Stop it\")",
            "event.dataset:a.b and event.action:(Gok1 or \"Stop itk1\")",
            2,
        );
        check(
            "process.name : (cmd.exe or not p* or q) and user.name:x",
            "process.name : (cmd.exek1 or not p* or qk1) and user.name:x",
            2,
        );
        check(r"process.args:(a\*)", r"process.args:(a\*k1)", 1);
        check(r#"process.args:(*\"a\:b* or c)"#, r#"process.args:(*\"a\:bk1* or ck1)"#, 2);
        check("event.type:start and source.ip:192.0.2.1", "event.type:start and source.ip:192.0.2.1", 0);
    }

    #[test]
    fn the_first_copy_is_the_rule_itself() {
        assert_eq!(copy("anything", 0).text, "anything");
    }
}
