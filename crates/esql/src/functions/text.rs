//! Functions over text. Places and lengths count characters (code points).

use unicode_segmentation::UnicodeSegmentation;

use super::{Context, Function, PLAIN, Returns, Takes, made_text, optional, required, text_of};
use crate::limits::{TEXT_BYTES_MAX, VALUES_MAX};
use crate::types::{DataType, INTEGERS, TEXTS};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

const STRING: Function = Function { group: "String", parameters: &[required("string", TEXTS)], ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "BIT_LENGTH",
        returns: Returns::Is(DataType::Integer),
        summary: "The length in bits of the text as UTF-8.",
        examples: &[(r#"BIT_LENGTH("ab")"#, "16")],
        evaluate: |_, a| Ok(Value::Int((text_of(a[0]).len() * 8) as i32)),
        ..STRING
    },
    Function {
        name: "BYTE_LENGTH",
        returns: Returns::Is(DataType::Integer),
        summary: "The length in bytes of the text as UTF-8.",
        examples: &[(r#"BYTE_LENGTH("é")"#, "2")],
        evaluate: |_, a| Ok(Value::Int(text_of(a[0]).len() as i32)),
        ..STRING
    },
    Function {
        name: "CONCAT",
        parameters: &[required("first", TEXTS), required("rest", TEXTS)],
        variadic: true,
        summary: "The texts one after the other.",
        examples: &[(r#"CONCAT("a", "-", "b")"#, r#""a-b""#)],
        evaluate: |_, a| made_text(a.iter().map(|text| text_of(*text)).collect()),
        ..STRING
    },
    Function {
        name: "CONTAINS",
        parameters: &[required("string", TEXTS), required("part", TEXTS)],
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the text has the part in it.",
        examples: &[(r#"CONTAINS("hello", "ll")"#, "true")],
        evaluate: |_, a| Ok(Value::Bool(text_of(a[0]).contains(text_of(a[1])))),
        ..STRING
    },
    Function {
        name: "ENDS_WITH",
        parameters: &[required("string", TEXTS), required("suffix", TEXTS)],
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the text ends with the suffix.",
        examples: &[(r#"ENDS_WITH("cmd.exe", ".exe")"#, "true")],
        evaluate: |_, a| Ok(Value::Bool(text_of(a[0]).ends_with(text_of(a[1])))),
        ..STRING
    },
    Function {
        name: "LEFT",
        parameters: &[required("string", TEXTS), required("length", INTEGERS)],
        summary: "The first characters of the text.",
        examples: &[(r#"LEFT("hello", 2)"#, r#""he""#)],
        evaluate: left,
        ..STRING
    },
    Function {
        name: "LENGTH",
        returns: Returns::Is(DataType::Integer),
        summary: "The length of the text in characters.",
        examples: &[(r#"LENGTH("héllo")"#, "5")],
        evaluate: |_, a| Ok(Value::Int(text_of(a[0]).chars().count() as i32)),
        ..STRING
    },
    Function {
        name: "LOCATE",
        parameters: &[required("string", TEXTS), required("part", TEXTS), optional("start", INTEGERS)],
        returns: Returns::Is(DataType::Integer),
        summary: "The place of the part in the text, from 1; 0 where it is not in it. The search begins at `start`.",
        examples: &[(r#"LOCATE("hello", "l")"#, "3"), (r#"LOCATE("hello", "l", 4)"#, "4")],
        evaluate: locate,
        ..STRING
    },
    Function {
        name: "LTRIM",
        summary: "The text without blanks at its beginning.",
        examples: &[(r#"LTRIM("  a ")"#, r#""a ""#)],
        evaluate: |_, a| Ok(Value::text(text_of(a[0]).trim_start())),
        ..STRING
    },
    Function {
        name: "REPEAT",
        parameters: &[required("string", TEXTS), required("number", INTEGERS)],
        summary: "The text so many times.",
        examples: &[(r#"REPEAT("ab", 2)"#, r#""abab""#)],
        evaluate: |_, a| repeated(text_of(a[0]), a[1]),
        ..STRING
    },
    Function {
        name: "REPLACE",
        parameters: &[required("string", TEXTS), required("regex", TEXTS), required("new", TEXTS)],
        summary: "The text with every match of a regular expression replaced. `$1` in the new text is the first group.",
        examples: &[
            (r#"REPLACE("Hello World", "World", "Universe")"#, r#""Hello Universe""#),
            (r#"REPLACE("a1b22", "[0-9]+", "_")"#, r#""a_b_""#),
        ],
        evaluate: replace,
        ..STRING
    },
    Function {
        name: "REVERSE",
        returns: Returns::First,
        summary: "The text backwards, by what readers see as characters.",
        examples: &[(r#"REVERSE("abc")"#, r#""cba""#)],
        evaluate: |_, a| made_text(text_of(a[0]).graphemes(true).rev().collect()),
        ..STRING
    },
    Function {
        name: "RIGHT",
        parameters: &[required("string", TEXTS), required("length", INTEGERS)],
        summary: "The last characters of the text.",
        examples: &[(r#"RIGHT("hello", 2)"#, r#""lo""#)],
        evaluate: right,
        ..STRING
    },
    Function {
        name: "RTRIM",
        summary: "The text without blanks at its end.",
        examples: &[(r#"RTRIM(" a  ")"#, r#"" a""#)],
        evaluate: |_, a| Ok(Value::text(text_of(a[0]).trim_end())),
        ..STRING
    },
    Function {
        name: "SPACE",
        parameters: &[required("number", INTEGERS)],
        summary: "So many blanks.",
        examples: &[("LENGTH(SPACE(3))", "3")],
        evaluate: |_, a| repeated(" ", a[0]),
        ..STRING
    },
    Function {
        name: "SPLIT",
        parameters: &[required("string", TEXTS), required("delimiter", TEXTS)],
        summary: "The parts of the text between delimiters, as several values.",
        examples: &[(r#"SPLIT("a;b", ";")"#, r#"["a", "b"]"#)],
        evaluate: split,
        ..STRING
    },
    Function {
        name: "STARTS_WITH",
        parameters: &[required("string", TEXTS), required("prefix", TEXTS)],
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the text begins with the prefix.",
        examples: &[(r#"STARTS_WITH("hello", "he")"#, "true")],
        evaluate: |_, a| Ok(Value::Bool(text_of(a[0]).starts_with(text_of(a[1])))),
        ..STRING
    },
    Function {
        name: "SUBSTRING",
        parameters: &[required("string", TEXTS), required("start", INTEGERS), optional("length", INTEGERS)],
        summary: "A part of the text from a place on, which counts from 1, or from the end if it is negative.",
        examples: &[(r#"SUBSTRING("hello", 2, 3)"#, r#""ell""#), (r#"SUBSTRING("hello", -2)"#, r#""lo""#)],
        evaluate: substring,
        ..STRING
    },
    Function {
        name: "TO_LOWER",
        takes: Takes::Each,
        summary: "The text in lower case.",
        examples: &[(r#"TO_LOWER("CMD")"#, r#""cmd""#)],
        evaluate: |_, a| made_text(text_of(a[0]).to_lowercase()),
        ..STRING
    },
    Function {
        name: "TO_UPPER",
        takes: Takes::Each,
        summary: "The text in upper case.",
        examples: &[(r#"TO_UPPER("cmd")"#, r#""CMD""#)],
        evaluate: |_, a| made_text(text_of(a[0]).to_uppercase()),
        ..STRING
    },
    Function {
        name: "TRIM",
        summary: "The text without blanks at both ends.",
        examples: &[(r#"TRIM("  a ")"#, r#""a""#)],
        evaluate: |_, a| Ok(Value::text(text_of(a[0]).trim())),
        ..STRING
    },
    Function {
        name: "IS_BLANK",
        parameters: &[required("string", TEXTS)],
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the text is empty or all blanks.",
        examples: &[(r#"IS_BLANK(" ")"#, "true")],
        evaluate: |_, a| Ok(Value::Bool(text_of(a[0]).trim().is_empty())),
        ..STRING
    },
];

/// The bytes before the character at `index`.
fn char_offset(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(offset, _)| offset)
}

fn count(value: ValueRef<'_>) -> i64 {
    value.as_long().unwrap_or(0)
}

fn left(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let text = text_of(a[0]);
    Ok(Value::text(&text[..char_offset(text, count(a[1]).max(0) as usize)]))
}

fn right(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let text = text_of(a[0]);
    let chars = text.chars().count() as i64;
    let start = (chars - count(a[1]).max(0)).max(0);
    Ok(Value::text(&text[char_offset(text, start as usize)..]))
}

fn substring(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let text = text_of(a[0]);
    let length = a.get(2).map(|length| count(*length));
    if let Some(length) = length.filter(|length| *length < 0) {
        return Err(Failure::argument(format!("Length parameter cannot be negative, found [{length}]")));
    }
    let start = match count(a[1]) {
        start if start > 0 => start - 1,
        0 => 0,
        start => (text.chars().count() as i64 + start).max(0),
    };
    let rest = &text[char_offset(text, start as usize)..];
    Ok(Value::text(length.map_or(rest, |length| &rest[..char_offset(rest, length as usize)])))
}

fn locate(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let text = text_of(a[0]);
    let start = a.get(2).map_or(1, |start| count(*start)).max(1) as usize;
    let skipped = char_offset(text, start - 1);
    let found = text[skipped..].find(text_of(a[1]));
    let place = found.map_or(0, |at| text[..skipped + at].chars().count() + 1);
    Ok(Value::Int(if text.is_empty() { 0 } else { place as i32 }))
}

fn repeated(text: &str, number: ValueRef<'_>) -> Result<Value, Failure> {
    let number = count(number);
    if number < 0 {
        return Err(Failure::argument(format!("Number parameter cannot be negative, found [{number}]")));
    }
    let bytes = (text.len() as i64).saturating_mul(number);
    if bytes > TEXT_BYTES_MAX as i64 {
        let message =
            format!("Creating repeated strings with more than [{TEXT_BYTES_MAX}] bytes is not supported");
        return Err(Failure::argument(message));
    }
    Ok(Value::text(text.repeat(number as usize)))
}

fn split(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let (text, delimiter) = (text_of(a[0]), text_of(a[1]));
    if delimiter.is_empty() {
        return Ok(Value::text(text));
    }
    let parts: Vec<Value> = text.split(delimiter).take(VALUES_MAX + 1).map(Value::text).collect();
    if parts.len() > VALUES_MAX {
        return Err(Failure::argument(format!("more than [{VALUES_MAX}] values")));
    }
    Ok(Value::from_values(parts))
}

fn replace(context: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let (text, pattern, new) = (text_of(a[0]), text_of(a[1]), text_of(a[2]));
    let regex = context.regexes.get(pattern)?;
    let (mut result, mut last) = (String::new(), 0);
    for captures in regex.captures_iter(text) {
        let captures =
            captures.map_err(|_| Failure::argument("the regular expression takes too many steps"))?;
        let Some(whole) = captures.get(0) else { continue };
        result.push_str(&text[last..whole.start()]);
        expand(new, &captures, &mut result)?;
        last = whole.end();
        if result.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    result.push_str(&text[last..]);
    made_text(result)
}

/// The new text with its groups, as Java writes them: `$1`, `${name}`, and `\` before what is meant as it is.
fn expand(new: &str, captures: &fancy_regex::Captures<'_, str>, result: &mut String) -> Result<(), Failure> {
    let mut chars = new.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => result.extend(chars.next().map(|(_, c)| c)),
            '$' => {
                let rest = &new[at + 1..];
                let (group, skip) = group_reference(rest, captures)?;
                result.push_str(group);
                for _ in 0..skip {
                    chars.next();
                }
            }
            c => result.push(c),
        }
    }
    Ok(())
}

/// The text of the group that is named after `$`, and how many characters name it.
fn group_reference<'t>(
    rest: &str,
    captures: &fancy_regex::Captures<'t, str>,
) -> Result<(&'t str, usize), Failure> {
    if let Some((name, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let group = captures.name(name).map_or("", |group| group.as_str());
        return Ok((group, name.chars().count() + 2));
    }
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // As many digits as make a group that exists.
    for length in (1..=digits.len()).rev() {
        let index = digits[..length].parse::<usize>().unwrap_or(usize::MAX);
        if index < captures.len() {
            return Ok((captures.get(index).map_or("", |group| group.as_str()), length));
        }
    }
    if digits.is_empty() {
        return Err(Failure::argument("Illegal group reference"));
    }
    Err(Failure::argument(format!("No group {digits}")))
}
