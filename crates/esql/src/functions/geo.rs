//! Functions over points on the earth.

use super::{Function, PLAIN, Returns, Takes, required};
use crate::types::{DataType, POINTS};
use crate::value::{Value, ValueRef};

/// The mean radius of the earth in metres, as Elasticsearch uses it for distances.
const EARTH_RADIUS_M: f64 = 6_371_008.771_4;

const SPATIAL: Function = Function {
    group: "Spatial",
    returns: Returns::Is(DataType::Double),
    parameters: &[required("point", POINTS)],
    ..PLAIN
};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "ST_DISTANCE",
        parameters: &[required("a", POINTS), required("b", POINTS)],
        summary: "The distance of two points on the earth, in metres.",
        examples: &[(
            r#"ROUND(ST_DISTANCE(TO_GEOPOINT("POINT(0 0)"), TO_GEOPOINT("POINT(0 1)")))"#,
            "111195.0",
        )],
        evaluate: |_, a| {
            Ok(match (a[0], a[1]) {
                (ValueRef::Point(x, y), ValueRef::Point(u, v)) => Value::Double(haversine_m(x, y, u, v)),
                _ => Value::Null,
            })
        },
        ..SPATIAL
    },
    Function {
        name: "ST_X",
        takes: Takes::Each,
        summary: "The longitude of a point.",
        examples: &[(r#"ST_X(TO_GEOPOINT("POINT(8 47)"))"#, "8.0")],
        evaluate: |_, a| Ok(if let ValueRef::Point(x, _) = a[0] { Value::Double(x) } else { Value::Null }),
        ..SPATIAL
    },
    Function {
        name: "ST_Y",
        takes: Takes::Each,
        summary: "The latitude of a point.",
        examples: &[(r#"ST_Y(TO_GEOPOINT("POINT(8 47)"))"#, "47.0")],
        evaluate: |_, a| Ok(if let ValueRef::Point(_, y) = a[0] { Value::Double(y) } else { Value::Null }),
        ..SPATIAL
    },
];

/// The haversine formula.
fn haversine_m(lon1: f64, lat1: f64, lon2: f64, lat2: f64) -> f64 {
    let (lat1, lat2) = (lat1.to_radians(), lat2.to_radians());
    let half_lat = ((lat2 - lat1) / 2.0).sin();
    let half_lon = ((lon2 - lon1).to_radians() / 2.0).sin();
    let h = half_lat * half_lat + lat1.cos() * lat2.cos() * half_lon * half_lon;
    2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
}
