//! Functions over fields with several values.

use rustc_hash::FxHashSet;

use super::convert::to_text;
use super::{Context, Function, PLAIN, Returns, Takes, made_text, optional, required, text_of};
use crate::limits::VALUES_MAX;
use crate::types::{ANY, DataType, INTEGERS, NUMBERS, TEXTS};
use crate::value::{Value, ValueRef, order};
use crate::warning::Failure;

/// A function of all values of a field that gives values of the same type.
const LIST: Function = Function {
    group: "Multi-value",
    parameters: &[required("field", ANY)],
    returns: Returns::First,
    takes: Takes::Lists,
    ..PLAIN
};
const PAIR: Function =
    Function { parameters: &[required("a", ANY), required("b", ANY)], returns: Returns::Common, ..LIST };
const NUMERIC: Function =
    Function { parameters: &[required("field", NUMBERS)], returns: Returns::Is(DataType::Double), ..LIST };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "MV_APPEND",
        summary: "The values of both fields; null where one of them has none.",
        examples: &[("MV_APPEND([1, 2], 3)", "[1, 2, 3]")],
        evaluate: |_, a| many(a.iter().flat_map(|list| list.to_value().values().to_vec()).collect()),
        ..PAIR
    },
    Function {
        name: "MV_AVG",
        summary: "The average of the values.",
        examples: &[("MV_AVG([1, 2])", "1.5")],
        evaluate: |_, a| {
            let numbers = doubles(a[0]);
            Ok(Value::Double(numbers.iter().sum::<f64>() / numbers.len() as f64))
        },
        ..NUMERIC
    },
    Function {
        name: "MV_CONCAT",
        parameters: &[required("field", TEXTS), required("delimiter", TEXTS)],
        returns: Returns::Is(DataType::Keyword),
        summary: "The values as one text, with the delimiter between them.",
        examples: &[(r#"MV_CONCAT(["a", "b"], ", ")"#, r#""a, b""#)],
        evaluate: |_, a| {
            let owned = a[0].to_value();
            let parts: Vec<&str> = owned.values().iter().map(|value| text_of(value.borrowed())).collect();
            made_text(parts.join(text_of(a[1])))
        },
        ..LIST
    },
    Function {
        name: "MV_CONTAINS",
        returns: Returns::Is(DataType::Boolean),
        parameters: &[required("all", ANY), required("some", ANY)],
        takes: Takes::Whole,
        summary: "Whether every value of the second field is one of the first. A field without values is in every other.",
        examples: &[("MV_CONTAINS([1, 2, 3], [3, 1])", "true")],
        evaluate: |_, a| {
            let (all, some) = (a[0].to_value(), a[1].to_value());
            Ok(Value::Bool(some.values().iter().all(|value| all.values().contains(value))))
        },
        ..LIST
    },
    Function {
        name: "MV_COUNT",
        returns: Returns::Is(DataType::Integer),
        summary: "How many values the field has.",
        examples: &[("MV_COUNT([4, 4])", "2")],
        evaluate: |_, a| Ok(Value::Int(a[0].to_value().values().len() as i32)),
        ..LIST
    },
    Function {
        name: "MV_DEDUPE",
        summary: "The values without repetitions.",
        examples: &[("MV_DEDUPE([1, 2, 1])", "[1, 2]")],
        evaluate: |_, a| many(distinct(a[0].to_value().values())),
        ..LIST
    },
    Function {
        name: "MV_DIFFERENCE",
        summary: "The values of the first field that the second does not have.",
        parameters: &[required("a", ANY), required("b", ANY)],
        examples: &[("MV_DIFFERENCE([1, 2, 3], 2)", "[1, 3]")],
        evaluate: |_, a| {
            let others: FxHashSet<Value> = a[1].to_value().values().iter().cloned().collect();
            let mut values = distinct(a[0].to_value().values());
            values.retain(|value| !others.contains(value));
            many(values)
        },
        ..PAIR
    },
    Function {
        name: "MV_FIRST",
        summary: "The first of the values.",
        examples: &[("MV_FIRST([3, 1])", "3")],
        evaluate: |_, a| Ok(a[0].to_value().values().first().cloned().unwrap_or_default()),
        ..LIST
    },
    Function {
        name: "MV_INTERSECTION",
        summary: "The values that both fields have.",
        examples: &[("MV_INTERSECTION([1, 2, 3], [3, 2])", "[2, 3]")],
        evaluate: |_, a| {
            let others: FxHashSet<Value> = a[1].to_value().values().iter().cloned().collect();
            let mut values = distinct(a[0].to_value().values());
            values.retain(|value| others.contains(value));
            many(values)
        },
        ..PAIR
    },
    Function {
        name: "MV_LAST",
        summary: "The last of the values.",
        examples: &[("MV_LAST([3, 1])", "1")],
        evaluate: |_, a| Ok(a[0].to_value().values().last().cloned().unwrap_or_default()),
        ..LIST
    },
    Function {
        name: "MV_MAX",
        summary: "The greatest of the values.",
        examples: &[("MV_MAX([3, 1])", "3")],
        evaluate: |_, a| {
            Ok(a[0].to_value().values().iter().max_by(|a, b| order(a, b)).cloned().unwrap_or_default())
        },
        ..LIST
    },
    Function {
        name: "MV_MEDIAN",
        parameters: &[required("field", NUMBERS)],
        summary: "The middle of the values, or the average of the two in the middle; whole numbers are rounded down.",
        examples: &[("MV_MEDIAN([3, 1, 2])", "2"), ("MV_MEDIAN([1.0, 2.0])", "1.5")],
        evaluate: median,
        ..LIST
    },
    Function {
        name: "MV_MEDIAN_ABSOLUTE_DEVIATION",
        parameters: &[required("field", NUMBERS)],
        summary: "The median of the distances of the values from their median.",
        examples: &[("MV_MEDIAN_ABSOLUTE_DEVIATION([1.0, 2.0, 6.0])", "1.0")],
        evaluate: |context, a| {
            let center = median(context, a)?;
            let center = center.borrowed().as_double().unwrap_or(0.0);
            let distances: Vec<Value> =
                doubles(a[0]).into_iter().map(|number| Value::Double((number - center).abs())).collect();
            let result = median(context, &[Value::from_values(distances).borrowed()])?;
            narrow_like(a[0], &result)
        },
        ..LIST
    },
    Function {
        name: "MV_MIN",
        summary: "The least of the values.",
        examples: &[("MV_MIN([3, 1])", "1")],
        evaluate: |_, a| {
            Ok(a[0].to_value().values().iter().min_by(|a, b| order(a, b)).cloned().unwrap_or_default())
        },
        ..LIST
    },
    Function {
        name: "MV_PERCENTILE",
        parameters: &[required("field", NUMBERS), required("percentile", NUMBERS)],
        summary: "The value below which so many percent of the values are, between two values in proportion.",
        examples: &[("MV_PERCENTILE([1.0, 2.0, 3.0], 50)", "2.0")],
        evaluate: |_, a| {
            let percent = a[1].as_double().filter(|percent| (0.0..=100.0).contains(percent));
            let percent = percent.ok_or_else(|| {
                Failure::argument(format!(
                    "Percentile parameter must be a number between 0 and 100, found [{}]",
                    to_text(a[1])
                ))
            })?;
            let mut numbers = doubles(a[0]);
            numbers.sort_by(f64::total_cmp);
            narrow_like(a[0], &Value::Double(crate::aggregates::percentile_of(&numbers, percent)))
        },
        ..LIST
    },
    Function {
        name: "MV_SLICE",
        parameters: &[required("field", ANY), required("start", INTEGERS), optional("end", INTEGERS)],
        summary: "The values from one place to another, both included; places count from 0, negative ones from the end.",
        examples: &[("MV_SLICE([1, 2, 3], 1)", "2"), ("MV_SLICE([1, 2, 3], -2, -1)", "[2, 3]")],
        evaluate: slice,
        ..LIST
    },
    Function {
        name: "MV_SORT",
        parameters: &[required("field", ANY), optional("order", TEXTS)],
        summary: "The values in order, with `DESC` backwards.",
        examples: &[("MV_SORT([3, 1, 2])", "[1, 2, 3]"), (r#"MV_SORT([3, 1], "DESC")"#, "[3, 1]")],
        evaluate: sort,
        ..LIST
    },
    Function {
        name: "MV_SUM",
        parameters: &[required("field", NUMBERS)],
        summary: "The sum of the values.",
        examples: &[("MV_SUM([1, 2])", "3")],
        evaluate: sum,
        ..LIST
    },
    Function {
        name: "MV_UNION",
        summary: "The values of both fields, without repetitions.",
        takes: Takes::Whole,
        examples: &[("MV_UNION([1, 2], [2, 3])", "[1, 2, 3]")],
        evaluate: |_, a| {
            let all: Vec<Value> = a.iter().flat_map(|list| list.to_value().values().to_vec()).collect();
            many(distinct(&all))
        },
        ..PAIR
    },
    Function {
        name: "MV_ZIP",
        parameters: &[required("a", TEXTS), required("b", TEXTS), optional("delimiter", TEXTS)],
        returns: Returns::Is(DataType::Keyword),
        takes: Takes::Whole,
        summary: "The values of both fields in pairs, with a delimiter (`,`) between them.",
        examples: &[(r#"MV_ZIP(["a", "b"], ["1", "2"], "-")"#, r#"["a-1", "b-2"]"#)],
        evaluate: zip,
        ..LIST
    },
];

/// Several values, unless there are too many.
fn many(values: Vec<Value>) -> Result<Value, Failure> {
    if values.len() > VALUES_MAX {
        return Err(Failure::argument(format!("more than [{VALUES_MAX}] values")));
    }
    Ok(Value::from_values(values))
}

/// Each value once, in the order of the first.
fn distinct(values: &[Value]) -> Vec<Value> {
    let mut seen = FxHashSet::default();
    values.iter().filter(|value| seen.insert((*value).clone())).cloned().collect()
}

fn doubles(value: ValueRef<'_>) -> Vec<f64> {
    value.to_value().values().iter().filter_map(|value| value.borrowed().as_double()).collect()
}

/// A double as the type of the numbers that it was computed from; fractions are cut off.
fn narrow_like(like: ValueRef<'_>, value: &Value) -> Result<Value, Failure> {
    let double = value.borrowed().as_double().unwrap_or(0.0);
    Ok(match like.to_value().values().first() {
        Some(Value::Int(_)) => Value::Int(double as i32),
        Some(Value::Long(_)) => Value::Long(double as i64),
        Some(Value::UnsignedLong(_)) => Value::UnsignedLong(double as u64),
        _ => Value::Double(double),
    })
}

fn median(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let owned = a[0].to_value();
    let mut values = owned.values().to_vec();
    values.sort_by(order);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return Ok(values[middle].clone());
    }
    Ok(match (&values[middle - 1], &values[middle]) {
        (Value::Int(low), Value::Int(high)) => {
            Value::Int((i64::from(*low) + i64::from(*high)).div_euclid(2) as i32)
        }
        (Value::Long(low), Value::Long(high)) => {
            Value::Long((i128::from(*low) + i128::from(*high)).div_euclid(2) as i64)
        }
        (Value::UnsignedLong(low), Value::UnsignedLong(high)) => {
            Value::UnsignedLong(u128::midpoint(u128::from(*low), u128::from(*high)) as u64)
        }
        (low, high) => {
            let double = |value: &Value| value.borrowed().as_double().unwrap_or(0.0);
            Value::Double(f64::midpoint(double(low), double(high)))
        }
    })
}

fn slice(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let owned = a[0].to_value();
    let values = owned.values();
    let count = values.len() as i64;
    let start = a[1].as_long().unwrap_or(0);
    let end = a.get(2).and_then(|end| end.as_long()).unwrap_or(start);
    if start > end {
        return Err(Failure::argument("Start offset is greater than end offset"));
    }
    if start < 0 && end >= 0 {
        return Err(Failure::argument("Start and end offset have different signs"));
    }
    let place = |offset: i64| if offset < 0 { count + offset } else { offset };
    let (start, end) = (place(start).max(0), place(end).min(count - 1));
    if start > end {
        return Ok(Value::Null);
    }
    Ok(Value::from_values(values[start as usize..=end as usize].to_vec()))
}

fn sort(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let mut values = a[0].to_value().values().to_vec();
    values.sort_by(order);
    match a.get(1).map(|order| text_of(*order).to_ascii_uppercase()).as_deref() {
        None | Some("ASC") => {}
        Some("DESC") => values.reverse(),
        Some(other) => {
            return Err(Failure::argument(format!(
                "Invalid order value, it must be either [ASC] or [DESC], found [{other}]"
            )));
        }
    }
    Ok(Value::from_values(values))
}

fn sum(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let owned = a[0].to_value();
    let values = owned.values();
    if let Some(Value::Double(_)) = values.first() {
        return Ok(Value::Double(doubles(a[0]).iter().sum()));
    }
    let whole = |value: &Value| match value.borrowed() {
        ValueRef::UnsignedLong(value) => i128::from(value),
        other => i128::from(other.as_long().unwrap_or(0)),
    };
    let sum: i128 = values.iter().map(whole).sum();
    let overflow = |kind: &str| Failure::arithmetic(format!("{kind} overflow"));
    match values.first() {
        Some(Value::Int(_)) => i32::try_from(sum).map(Value::Int).map_err(|_| overflow("integer")),
        Some(Value::Long(_)) => i64::try_from(sum).map(Value::Long).map_err(|_| overflow("long")),
        _ => u64::try_from(sum).map(Value::UnsignedLong).map_err(|_| overflow("unsigned_long")),
    }
}

fn zip(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let delimiter = match a.get(2) {
        None => ",",
        Some(ValueRef::Null) => return Ok(Value::Null),
        Some(delimiter) => text_of(*delimiter),
    };
    let (left, right) = (a[0].to_value(), a[1].to_value());
    let (left, right) = (left.values(), right.values());
    let mut pairs = Vec::new();
    for i in 0..left.len().max(right.len()) {
        let text = |list: &[Value]| list.get(i).map(|value| to_text(value.borrowed()));
        pairs.push(match (text(left), text(right)) {
            (Some(left), Some(right)) => made_text(format!("{left}{delimiter}{right}"))?,
            (left, right) => Value::text(left.or(right).unwrap_or_default()),
        });
    }
    many(pairs)
}
