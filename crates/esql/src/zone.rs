//! Time zones, from a copy of the database that is part of the program: the same on every machine.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::civil::Reader;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// A zone by name (`Europe/Zurich`), or by offset (`+10:00`).
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("z") || name.eq_ignore_ascii_case("utc") {
            return Some(Self::UTC);
        }
        let mut reader = Reader { rest: name };
        if let Some(seconds) = reader.offset() {
            let offset = Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?;
            return reader.rest.is_empty().then_some(Self(TimeZone::fixed(offset)));
        }
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// How far the zone is ahead at an instant, in milliseconds. Instants that no calendar reaches have the offset of 1970.
    pub(crate) fn offset_ms(&self, millis: i64) -> i64 {
        let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        i64::from(self.0.to_offset(instant).seconds()) * 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::Zone;

    #[test]
    fn zones_are_found() {
        let check = |name: &str, hours: Option<i64>| {
            // 2024-07-01
            let offset = Zone::parse(name).map(|zone| zone.offset_ms(1_719_792_000_000));
            assert_eq!(offset, hours.map(|hours| hours * 3_600_000), "{name}");
        };
        check("UTC", Some(0));
        check("+10:00", Some(10));
        check("-0300", Some(-3));
        check("Europe/Zurich", Some(2));
        check("America/New_York", Some(-4));
        check("Europe/Atlantis", None);
        check("+10:00x", None);
    }
}
