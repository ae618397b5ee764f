//! Normalisation of the input: fields that older shippers leave out and nearly every rule asks for.
//!
//! `host.os.type` is derived from `host.os.family`, `.platform` and `.name` where an event has none.

use crate::schema::Schema;
use crate::slots::{Fields, Slot, Slots};
use crate::value::ValueRef;

/// The values of `host.os.type` that are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostOs {
    /// `linux`
    Linux,
    /// `macos`
    MacOs,
    /// `windows`
    Windows,
}

impl HostOs {
    /// The value of `host.os.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// The operating system that a family, platform or name stands for.
    pub fn from_family(text: &str) -> Option<Self> {
        const LINUX: [&str; 22] = [
            "linux",
            "red",
            "debian",
            "ubuntu",
            "centos",
            "rhel",
            "redhat",
            "fedora",
            "suse",
            "sles",
            "opensuse",
            "amzn",
            "amazon",
            "alpine",
            "arch",
            "oracle",
            "ol",
            "rocky",
            "almalinux",
            "gentoo",
            "mint",
            "kali",
        ];
        let text = text.to_ascii_lowercase();
        let word = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        match word {
            "macos" | "darwin" | "osx" | "mac" => Some(Self::MacOs),
            "windows" => Some(Self::Windows),
            _ => LINUX.contains(&word).then_some(Self::Linux),
        }
    }
}

/// Derives what an event leaves out. Immutable.
#[derive(Debug, Clone)]
pub struct Normalizer {
    os_type: Slot,
    /// Where the answer may stand, most reliable first.
    hints: [Slot; 3],
}

impl Normalizer {
    /// Asks for the fields that it needs.
    pub fn new(fields: &mut Fields, schema: &Schema) -> Self {
        let mut slot = |name: &str| fields.slot(&schema.field(name));
        Self {
            os_type: slot("host.os.type"),
            hints: [slot("host.os.family"), slot("host.os.platform"), slot("host.os.name")],
        }
    }

    /// Fills in `host.os.type`; gives what was derived, if anything was.
    pub fn apply(&self, slots: &mut Slots) -> Option<HostOs> {
        if slots.is_present(self.os_type) {
            return None;
        }
        let mut hints = self.hints.iter().flat_map(|slot| slots.values(*slot)).filter_map(ValueRef::as_text);
        let os = hints.find_map(HostOs::from_family)?;
        slots.push_text(self.os_type, os.name());
        Some(os)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;

    #[test]
    fn the_operating_system_is_derived_where_it_is_missing() {
        let schema = Schema::built_in();
        let mut fields = Fields::default();
        let normalizer = Normalizer::new(&mut fields, &schema);
        let decoder = Decoder::new(fields, schema);
        let mut slots = Slots::default();
        let mut check = |os: &str, expected: Option<HostOs>| {
            decoder.decode(format!(r#"{{"host.os": {os}}}"#).as_bytes(), &mut slots).unwrap();
            assert_eq!(normalizer.apply(&mut slots), expected, "{os}");
        };
        check(r#"{"family": "darwin"}"#, Some(HostOs::MacOs));
        check(r#"{"platform": "windows"}"#, Some(HostOs::Windows));
        check(r#"{"family": "", "platform": "centos"}"#, Some(HostOs::Linux));
        check(r#"{"name": "Red Hat Enterprise Linux"}"#, Some(HostOs::Linux));
        check(r#"{"family": "darwin", "type": "ios"}"#, None);
        check(r#"{"family": "solaris"}"#, None);
    }
}
