//! Functions over addresses.

use maxspan_event::Cidr;

use super::{Context, Function, PLAIN, Returns, required, text_of};
use crate::types::{DataType, INTEGERS, IPS, TEXTS};
use crate::value::{Value, ValueRef, ip_bytes, ip_from_bytes};
use crate::warning::Failure;

const IP: Function = Function { group: "IP", ..PLAIN };

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "CIDR_MATCH",
        parameters: &[required("ip", IPS), required("block", TEXTS)],
        variadic: true,
        returns: Returns::Is(DataType::Boolean),
        summary: "Whether the address is in one of the blocks.",
        examples: &[(r#"CIDR_MATCH(TO_IP("192.0.2.7"), "198.51.100.0/24", "192.0.2.0/24")"#, "true")],
        evaluate: cidr_match,
        ..IP
    },
    Function {
        name: "IP_PREFIX",
        parameters: &[required("ip", IPS), required("bits_v4", INTEGERS), required("bits_v6", INTEGERS)],
        returns: Returns::Is(DataType::Ip),
        summary: "The address with all bits after the first ones cleared.",
        examples: &[(r#"IP_PREFIX(TO_IP("192.0.2.77"), 24, 64)"#, r#""192.0.2.0""#)],
        evaluate: ip_prefix,
        ..IP
    },
];

fn cidr_match(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let ValueRef::Ip(ip) = a[0] else { return Ok(Value::Null) };
    for block in &a[1..] {
        let text = text_of(*block);
        let block = Cidr::parse(text)
            .ok_or_else(|| Failure::argument(format!("'{text}' is not an IP string literal.")))?;
        if block.contains(ip) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ip_prefix(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let ValueRef::Ip(ip) = a[0] else { return Ok(Value::Null) };
    let bits = |value: ValueRef<'_>, most: i64, version: &str| match value.as_long() {
        Some(bits) if (0..=most).contains(&bits) => Ok(bits as u32),
        bits => Err(Failure::argument(format!(
            "Prefix length {version} must be in range [0, {most}], found {}",
            bits.unwrap_or(0)
        ))),
    };
    let (v4, v6) = (bits(a[1], 32, "v4")?, bits(a[2], 128, "v6")?);
    let kept = if ip.is_ipv4() { 96 + v4 } else { v6 };
    let mask = u128::MAX.checked_shl(128 - kept).unwrap_or(0);
    let prefix = u128::from_be_bytes(ip_bytes(ip)) & mask;
    Ok(Value::Ip(ip_from_bytes(prefix.to_be_bytes())))
}
