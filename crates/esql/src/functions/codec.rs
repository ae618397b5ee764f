//! Encodings of text: base 64, and URLs.

use super::{Context, Function, PLAIN, Takes, made_text, required, text_of};
use crate::types::TEXTS;
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

const STRING: Function = Function { group: "String", parameters: &[required("string", TEXTS)], ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "FROM_BASE64",
        summary: "The text that a base 64 text stands for.",
        examples: &[(r#"FROM_BASE64("aGk=")"#, r#""hi""#)],
        evaluate: from_base64,
        ..STRING
    },
    Function {
        name: "TO_BASE64",
        summary: "The text as UTF-8 in base 64.",
        examples: &[(r#"TO_BASE64("hi")"#, r#""aGk=""#)],
        evaluate: |_, a| made_text(base64(text_of(a[0]).as_bytes())),
        ..STRING
    },
    Function {
        name: "URL_DECODE",
        takes: Takes::Each,
        summary: "The text with its percent escapes decoded; `+` is a blank.",
        examples: &[(r#"URL_DECODE("a%20b+c")"#, r#""a b c""#)],
        evaluate: url_decode,
        ..STRING
    },
    Function {
        name: "URL_ENCODE",
        takes: Takes::Each,
        summary: "The text with percent escapes; a blank becomes `+`.",
        examples: &[(r#"URL_ENCODE("a b&c")"#, r#""a+b%26c""#)],
        evaluate: |_, a| made_text(url_encode(text_of(a[0]), "+")),
        ..STRING
    },
    Function {
        name: "URL_ENCODE_COMPONENT",
        takes: Takes::Each,
        summary: "The text with percent escapes; a blank becomes `%20`.",
        examples: &[(r#"URL_ENCODE_COMPONENT("a b")"#, r#""a%20b""#)],
        evaluate: |_, a| made_text(url_encode(text_of(a[0]), "%20")),
        ..STRING
    },
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn from_base64(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let text = text_of(a[0]).trim_end_matches('=');
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let Some(value) = ALPHABET.iter().position(|known| *known == letter) else {
            return Err(Failure::argument(format!("Illegal base64 character {letter:x}")));
        };
        bits = bits << 6 | value as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    if held == 6 {
        return Err(Failure::argument("Last unit does not have enough valid bits"));
    }
    made_text(String::from_utf8_lossy(&bytes).into_owned())
}

fn url_encode(text: &str, blank: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push_str(blank),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn url_decode(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let bytes = text_of(a[0]).as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match bytes[at] {
            b'+' => decoded.push(b' '),
            b'%' => {
                let Some(digits) = bytes.get(at + 1..at + 3) else {
                    // The percent sign is escaped, as warnings travel in headers.
                    return Err(Failure::argument("URLDecoder: Incomplete trailing escape (%25) pattern"));
                };
                let digits = std::str::from_utf8(digits).unwrap_or("");
                let Ok(byte) = u8::from_str_radix(digits, 16) else {
                    let message = "URLDecoder: Illegal hex characters in escape (%25) pattern";
                    return Err(Failure::argument(format!("{message} - {digits}")));
                };
                decoded.push(byte);
                at += 2;
            }
            byte => decoded.push(byte),
        }
        at += 1;
    }
    made_text(String::from_utf8_lossy(&decoded).into_owned())
}
