//! Functions over numbers.

use super::{Context, Function, PLAIN, Returns, Takes, optional, required};
use crate::types::{DataType, NUMBERS, WHOLE};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

/// A function of one number that gives a double.
const REAL: Function = Function {
    group: "Math",
    parameters: &[required("number", NUMBERS)],
    returns: Returns::Is(DataType::Double),
    ..PLAIN
};
/// A constant.
const CONSTANT: Function = Function { group: "Math", returns: Returns::Is(DataType::Double), ..PLAIN };
/// A function of one number that keeps its type.
const SAME: Function = Function { returns: Returns::First, ..REAL };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "ABS",
        summary: "The number without its sign.",
        examples: &[("ABS(-3)", "3")],
        evaluate: abs,
        ..SAME
    },
    Function {
        name: "ACOS",
        summary: "The angle whose cosine is the number, in radians.",
        examples: &[("ACOS(1)", "0.0")],
        evaluate: |_, a| finite(number(a[0]).acos(), "Acos input out of range"),
        ..REAL
    },
    Function {
        name: "ASIN",
        summary: "The angle whose sine is the number, in radians.",
        examples: &[("ASIN(0)", "0.0")],
        evaluate: |_, a| finite(number(a[0]).asin(), "Asin input out of range"),
        ..REAL
    },
    Function {
        name: "ATAN",
        summary: "The angle whose tangent is the number, in radians.",
        examples: &[("ATAN(0)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).atan())),
        ..REAL
    },
    Function {
        name: "ATAN2",
        parameters: &[required("y", NUMBERS), required("x", NUMBERS)],
        summary: "The angle of the point (x, y), in radians.",
        examples: &[("ATAN2(0, 1)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).atan2(number(a[1])))),
        ..REAL
    },
    Function {
        name: "CBRT",
        summary: "The cube root.",
        examples: &[("CBRT(8)", "2.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).cbrt())),
        ..REAL
    },
    Function {
        name: "CEIL",
        summary: "The least whole number that is not less.",
        examples: &[("CEIL(1.2)", "2.0")],
        evaluate: |_, a| Ok(keep_whole(a[0], f64::ceil)),
        ..SAME
    },
    Function {
        name: "COS",
        summary: "The cosine of an angle in radians.",
        examples: &[("COS(0)", "1.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).cos())),
        ..REAL
    },
    Function {
        name: "COSH",
        summary: "The hyperbolic cosine.",
        examples: &[("COSH(0)", "1.0")],
        evaluate: |_, a| finite(number(a[0]).cosh(), "cosh overflow"),
        ..REAL
    },
    Function {
        name: "E",
        summary: "Euler's number.",
        examples: &[("ROUND(E(), 2)", "2.72")],
        evaluate: |_, _| Ok(Value::Double(std::f64::consts::E)),
        ..CONSTANT
    },
    Function {
        name: "EXP",
        summary: "Euler's number to the power of the number.",
        examples: &[("EXP(0)", "1.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).exp())),
        ..REAL
    },
    Function {
        name: "FLOOR",
        summary: "The greatest whole number that is not greater.",
        examples: &[("FLOOR(1.8)", "1.0")],
        evaluate: |_, a| Ok(keep_whole(a[0], f64::floor)),
        ..SAME
    },
    Function {
        name: "HYPOT",
        parameters: &[required("a", NUMBERS), required("b", NUMBERS)],
        summary: "The length of the third side of a right-angled triangle.",
        examples: &[("HYPOT(3, 4)", "5.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).hypot(number(a[1])))),
        ..REAL
    },
    Function {
        name: "LOG",
        parameters: &[required("base", NUMBERS), optional("number", NUMBERS)],
        summary: "The logarithm of the second number to the base of the first; with one number the natural one.",
        examples: &[("LOG(2, 8)", "3.0"), ("LOG(1)", "0.0")],
        evaluate: log,
        ..REAL
    },
    Function {
        name: "LOG10",
        summary: "The logarithm to the base of ten.",
        examples: &[("LOG10(100)", "2.0")],
        evaluate: |_, a| {
            if number(a[0]) > 0.0 { Ok(Value::Double(number(a[0]).log10())) } else { Err(not_positive()) }
        },
        ..REAL
    },
    Function {
        name: "PI",
        summary: "The ratio of a circle's circumference to its diameter.",
        examples: &[("ROUND(PI(), 2)", "3.14")],
        evaluate: |_, _| Ok(Value::Double(std::f64::consts::PI)),
        ..CONSTANT
    },
    Function {
        name: "POW",
        parameters: &[required("base", NUMBERS), required("exponent", NUMBERS)],
        summary: "The base to the power of the exponent.",
        examples: &[("POW(2, 10)", "1024.0")],
        evaluate: |_, a| finite(number(a[0]).powf(number(a[1])), "not a finite double number"),
        ..REAL
    },
    Function {
        name: "ROUND",
        parameters: &[required("number", NUMBERS), optional("decimals", WHOLE)],
        summary: "The number rounded to so many decimals, halves away from zero; a negative count rounds before the point.",
        examples: &[("ROUND(2.345, 2)", "2.35"), ("ROUND(1950, -2)", "2000")],
        evaluate: round,
        ..SAME
    },
    Function {
        name: "SCALB",
        parameters: &[required("number", NUMBERS), required("exponent", WHOLE)],
        summary: "The number times two to the power of the exponent.",
        examples: &[("SCALB(3, 2)", "12.0")],
        evaluate: |_, a| {
            let power = 2_f64.powf(number(a[1]).clamp(-2_000.0, 2_000.0));
            finite(number(a[0]) * power, "not a finite double number")
        },
        ..REAL
    },
    Function {
        name: "SIGNUM",
        summary: "1 for positive numbers, -1 for negative ones, 0 for 0.",
        examples: &[("SIGNUM(-7)", "-1.0")],
        evaluate: |_, a| {
            let number = number(a[0]);
            Ok(Value::Double(if number == 0.0 { 0.0 } else { number.signum() }))
        },
        ..REAL
    },
    Function {
        name: "SIN",
        summary: "The sine of an angle in radians.",
        examples: &[("SIN(0)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).sin())),
        ..REAL
    },
    Function {
        name: "SINH",
        summary: "The hyperbolic sine.",
        examples: &[("SINH(0)", "0.0")],
        evaluate: |_, a| finite(number(a[0]).sinh(), "sinh overflow"),
        ..REAL
    },
    Function {
        name: "SQRT",
        summary: "The square root.",
        examples: &[("SQRT(9)", "3.0")],
        evaluate: |_, a| {
            if number(a[0]) < 0.0 {
                return Err(Failure::arithmetic("Square root of negative"));
            }
            Ok(Value::Double(number(a[0]).sqrt()))
        },
        ..REAL
    },
    Function {
        name: "TAN",
        summary: "The tangent of an angle in radians.",
        examples: &[("TAN(0)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).tan())),
        ..REAL
    },
    Function {
        name: "TANH",
        summary: "The hyperbolic tangent.",
        examples: &[("TANH(0)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]).tanh())),
        ..REAL
    },
    Function {
        name: "TAU",
        summary: "The ratio of a circle's circumference to its radius.",
        examples: &[("ROUND(TAU(), 2)", "6.28")],
        evaluate: |_, _| Ok(Value::Double(std::f64::consts::TAU)),
        ..CONSTANT
    },
    Function {
        name: "TO_DEGREES",
        takes: Takes::Each,
        summary: "An angle in radians in degrees.",
        examples: &[("TO_DEGREES(0)", "0.0")],
        // Java's `Math.toDegrees` multiplies by this constant, which decides the last digit.
        evaluate: |_, a| finite(number(a[0]) * 57.295_779_513_082_32, "not a finite double number"),
        ..REAL
    },
    Function {
        name: "TO_RADIANS",
        takes: Takes::Each,
        summary: "An angle in degrees in radians.",
        examples: &[("TO_RADIANS(0)", "0.0")],
        evaluate: |_, a| Ok(Value::Double(number(a[0]) * 0.017_453_292_519_943_295)),
        ..REAL
    },
];

fn number(value: ValueRef<'_>) -> f64 {
    value.as_double().unwrap_or(f64::NAN)
}

fn finite(value: f64, message: &str) -> Result<Value, Failure> {
    if value.is_finite() { Ok(Value::Double(value)) } else { Err(Failure::arithmetic(message)) }
}

fn not_positive() -> Failure {
    Failure::arithmetic("Log of non-positive number")
}

fn keep_whole(value: ValueRef<'_>, change: fn(f64) -> f64) -> Value {
    match value {
        ValueRef::Double(value) => Value::Double(change(value)),
        whole => whole.to_value(),
    }
}

fn abs(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    Ok(match a[0] {
        ValueRef::Int(value) => Value::Int(value.checked_abs().ok_or_else(|| {
            Failure::arithmetic("Overflow to represent absolute value of Integer.MIN_VALUE")
        })?),
        ValueRef::Long(value) => {
            Value::Long(value.checked_abs().ok_or_else(|| {
                Failure::arithmetic("Overflow to represent absolute value of Long.MIN_VALUE")
            })?)
        }
        ValueRef::Double(value) => Value::Double(value.abs()),
        other => other.to_value(),
    })
}

fn log(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    if a.iter().any(|value| number(*value) <= 0.0) {
        return Err(not_positive());
    }
    let [base, value] = a else { return finite(number(a[0]).ln(), "not a finite double number") };
    if number(*base).ln() == 0.0 {
        return Err(Failure::arithmetic("Log of base 1"));
    }
    finite(number(*value).ln() / number(*base).ln(), "not a finite double number")
}

fn round(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    // No number has more digits on either side of the point.
    let decimals = a.get(1).and_then(|decimals| decimals.as_long()).unwrap_or(0).clamp(-400, 400);
    match a[0] {
        ValueRef::Double(value) => Ok(Value::Double(round_double(value, decimals))),
        whole if decimals >= 0 => Ok(whole.to_value()),
        ValueRef::UnsignedLong(value) => {
            let rounded = round_whole(i128::from(value), decimals);
            u64::try_from(rounded)
                .map(Value::UnsignedLong)
                .map_err(|_| Failure::arithmetic("unsigned_long overflow"))
        }
        ValueRef::Int(value) => {
            let rounded = round_whole(i128::from(value), decimals);
            i32::try_from(rounded).map(Value::Int).map_err(|_| Failure::arithmetic("integer overflow"))
        }
        whole => {
            let rounded = round_whole(i128::from(whole.as_long().unwrap_or(0)), decimals);
            i64::try_from(rounded).map(Value::Long).map_err(|_| Failure::arithmetic("long overflow"))
        }
    }
}

/// Decimals beyond the precision of a double change nothing, or leave nothing.
fn round_double(value: f64, decimals: i64) -> f64 {
    if !value.is_finite() || decimals > 300 {
        return value;
    }
    if decimals < -308 {
        return 0.0;
    }
    if decimals >= 0 {
        // By its decimal digits, as people read the number: 2.345 is rounded up though it is stored a little lower.
        return round_decimal(value, decimals as usize);
    }
    let power = 10_f64.powi(-decimals as i32);
    (value / power).round() * power
}

fn round_decimal(value: f64, decimals: usize) -> f64 {
    let text = format!("{:e}", value.abs());
    let Some((digits, exponent)) = text.split_once('e') else { return value };
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let significant: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    // How many of the digits stay.
    let kept = exponent + 1 + decimals as i64;
    if kept >= significant.len() as i64 {
        return value;
    }
    if kept < 0 {
        return 0.0_f64.copysign(value);
    }
    let up = significant[kept as usize] >= b'5';
    let kept_digits = std::str::from_utf8(&significant[..kept as usize]).unwrap_or("");
    let whole = kept_digits.parse::<u128>().unwrap_or(0) + u128::from(up);
    let rounded: f64 = format!("{whole}e-{decimals}").parse().unwrap_or(value);
    rounded.copysign(value)
}

fn round_whole(value: i128, decimals: i64) -> i128 {
    let Some(power) = u32::try_from(-decimals).ok().and_then(|digits| 10_i128.checked_pow(digits)) else {
        return 0;
    };
    let half = power / 2;
    let rounded = (value.abs() + half) / power * power;
    if value < 0 { -rounded } else { rounded }
}
