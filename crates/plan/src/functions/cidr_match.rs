//! `cidrMatch`: whether an address lies in one of some blocks.

use maxspan_event::{Cidr, parse_ip};

use super::{Function, Kind, Parameter, required};
use crate::datum::Datum;

pub(super) static FUNCTION: Function = Function {
    name: "cidrMatch",
    parameters: &[
        required("ip", Kind::Ip),
        Parameter { name: "cidr", kind: Kind::String, optional: false, constant: true },
    ],
    variadic: true,
    ignores_case: false,
    returns: Kind::Boolean,
    summary: "Whether the address lies in one of the blocks, given in CIDR notation, IPv4 or IPv6.",
    examples: &[
        (r#"cidrMatch("10.6.48.157", "10.0.0.0/8")"#, "true"),
        (r#"cidrMatch("10.6.48.157", "192.168.0.0/16", "fe80::/10")"#, "false"),
    ],
    evaluate,
};

fn evaluate<'a>(arguments: &[Datum<'a>], _ignore_case: bool) -> Datum<'a> {
    let ip = match &arguments[0] {
        Datum::Ip(ip) => Some(*ip),
        Datum::Text(text) => parse_ip(text),
        _ => None,
    };
    let Some(ip) = ip else { return Datum::Null };
    let blocks = arguments[1..].iter().filter_map(|block| Cidr::parse(block.as_text()?));
    Datum::Boolean(blocks.into_iter().any(|block| block.contains(ip)))
}
