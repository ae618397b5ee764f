//! Functions that give one of their arguments. CASE and COALESCE are part of the language, not of this table: they do not
//! evaluate all their arguments.

use std::cmp::Ordering;

use super::{Context, Function, PLAIN, Returns, Takes, required};
use crate::types::{ANY, BOOLEANS};
use crate::value::{Value, ValueRef, compare};
use crate::warning::Failure;

const CHOICE: Function =
    Function { group: "Conditional", returns: Returns::Common, takes: Takes::Lists, ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "CLAMP",
        parameters: &[required("value", ANY), required("min", ANY), required("max", ANY)],
        takes: Takes::Single,
        summary: "The value, or the bound that it goes beyond.",
        examples: &[("CLAMP(7, 1, 5)", "5")],
        evaluate: |context, a| {
            let low = pick(&[a[0], a[1]], Ordering::Greater);
            greatest_of(context, &[low.borrowed(), a[2]], Ordering::Less)
        },
        ..CHOICE
    },
    Function {
        name: "CLAMP_MAX",
        parameters: &[required("value", ANY), required("max", ANY)],
        takes: Takes::Single,
        summary: "The value, or the bound where it is greater.",
        examples: &[("CLAMP_MAX(7, 5)", "5")],
        evaluate: |context, a| greatest_of(context, a, Ordering::Less),
        ..CHOICE
    },
    Function {
        name: "CLAMP_MIN",
        parameters: &[required("value", ANY), required("min", ANY)],
        takes: Takes::Single,
        summary: "The value, or the bound where it is less.",
        examples: &[("CLAMP_MIN(0, 1)", "1")],
        evaluate: |context, a| greatest_of(context, a, Ordering::Greater),
        ..CHOICE
    },
    Function {
        name: "GREATEST",
        parameters: &[required("first", ANY.or(BOOLEANS)), required("rest", ANY)],
        variadic: true,
        summary: "The greatest of the values; of several values in one argument too.",
        examples: &[("GREATEST(1, 3, 2)", "3")],
        evaluate: |context, a| greatest_of(context, a, Ordering::Greater),
        ..CHOICE
    },
    Function {
        name: "LEAST",
        parameters: &[required("first", ANY), required("rest", ANY)],
        variadic: true,
        summary: "The least of the values; of several values in one argument too.",
        examples: &[("LEAST(2, 1, 3)", "1")],
        evaluate: |context, a| greatest_of(context, a, Ordering::Less),
        ..CHOICE
    },
];

fn greatest_of(_: &mut Context, a: &[ValueRef<'_>], wanted: Ordering) -> Result<Value, Failure> {
    Ok(pick(a, wanted))
}

/// The value that compares with all others as wanted.
fn pick(a: &[ValueRef<'_>], wanted: Ordering) -> Value {
    let mut best: Option<Value> = None;
    for argument in a {
        let owned = argument.to_value();
        for value in owned.values() {
            let better =
                best.as_ref().is_none_or(|best| compare(value.borrowed(), best.borrowed()) == Some(wanted));
            if better {
                best = Some(value.clone());
            }
        }
    }
    best.unwrap_or_default()
}
