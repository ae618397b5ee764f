//! `NETWORK_DIRECTION`: which way traffic goes.

use maxspan_event::Cidr;

use super::{Context, Function, PLAIN, Takes, required, text_of};
use crate::types::{IPS, TEXTS};
use crate::value::{Value, ValueRef};
use crate::warning::Failure;

pub(super) static FUNCTIONS: &[Function] = &[Function {
    name: "NETWORK_DIRECTION",
    parameters: &[required("source", IPS), required("destination", IPS), required("internal", TEXTS)],
    takes: Takes::Lists,
    group: "IP",
    summary: "`internal`, `outbound`, `inbound` or `external`: whether the two addresses are in the internal blocks.",
    examples: &[(
        r#"NETWORK_DIRECTION(TO_IP("10.0.0.1"), TO_IP("192.0.2.1"), ["10.0.0.0/8"])"#,
        r#""outbound""#,
    )],
    evaluate: direction,
    ..PLAIN
}];

fn direction(_: &mut Context, a: &[ValueRef<'_>]) -> Result<Value, Failure> {
    let (ValueRef::Ip(source), ValueRef::Ip(destination)) = (a[0], a[1]) else {
        return Err(Failure::multi_value());
    };
    let owned = a[2].to_value();
    let mut blocks = Vec::new();
    for block in owned.values() {
        let text = text_of(block.borrowed());
        blocks.push(
            Cidr::parse(text)
                .ok_or_else(|| Failure::argument(format!("'{text}' is not an IP string literal.")))?,
        );
    }
    let inside = |ip| blocks.iter().any(|block| block.contains(ip));
    Ok(Value::text(match (inside(source), inside(destination)) {
        (true, true) => "internal",
        (true, false) => "outbound",
        (false, true) => "inbound",
        (false, false) => "external",
    }))
}
