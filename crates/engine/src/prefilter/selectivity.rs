//! How many events an atom lets through: as measured, or by what is known of events in general.

use maxspan_event::Fields;
use rustc_hash::FxHashMap;

use super::atom::{Atom, AtomKind};

/// The share of events that answer an atom with yes, from 0 to 1. Only the choice between guards depends on it, never
/// what matches.
#[derive(Debug, Clone, Default)]
pub struct Selectivity {
    /// By the atom as [`Atom::describe`] writes it.
    measured: FxHashMap<Box<str>, f64>,
}

/// Fields that most events have, or that have few different values: a poor choice where there is another one. The gate
/// has looked at the first of them already.
const COARSE: [&str; 24] = [
    "event.category",
    "event.type",
    "host.os.type",
    "event.kind",
    "event.outcome",
    "event.action",
    "event.dataset",
    "event.module",
    "event.provider",
    "event.code",
    "data_stream.dataset",
    "data_stream.type",
    "agent.type",
    "user.id",
    "user.domain",
    "user.name",
    "process.code_signature.trusted",
    "process.code_signature.exists",
    "process.code_signature.status",
    "dll.code_signature.trusted",
    "dll.code_signature.status",
    "process.parent.pid",
    "process.Ext.token.integrity_level_name",
    "winlog.event_data.LogonType",
];

/// Parts of texts that say little, because many paths and command lines have them.
const COMMON_PARTS: [&str; 40] = [
    "\\windows\\system32\\",
    "\\windows\\",
    "system32",
    "syswow64",
    "program files",
    "(x86)",
    "\\users\\",
    "\\appdata\\",
    "\\local\\",
    "\\roaming\\",
    "programdata",
    "microsoft",
    "software",
    "currentversion",
    "currentcontrolset",
    "controlset",
    "\\services\\",
    "\\registry\\machine\\",
    "hklm\\",
    "hku\\",
    "registry",
    "machine",
    "\\device\\harddiskvolume",
    "c:\\",
    ":\\",
    ".exe",
    ".dll",
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/lib/",
    "/usr/",
    "/bin/",
    "/etc/",
    "/var/",
    "/library/",
    "/users/",
    "/private/",
    "/system/",
    "/applications/",
    "/home/",
];

/// Programs that many events are about.
const COMMON_TEXTS: [&str; 24] = [
    "svchost.exe",
    "cmd.exe",
    "powershell.exe",
    "explorer.exe",
    "services.exe",
    "lsass.exe",
    "rundll32.exe",
    "conhost.exe",
    "wmiprvse.exe",
    "msiexec.exe",
    "regsvr32.exe",
    "system",
    "bash",
    "sh",
    "zsh",
    "dash",
    "python",
    "python3",
    "perl",
    "sudo",
    "node",
    "java",
    "curl",
    "root",
];

impl Selectivity {
    /// Shares that were measured: by atom as it is described, how many of `events` answered with yes.
    pub fn measured<'a>(events: u64, atoms: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        // One more of each, so that what never came is rare and not impossible.
        let share = |count: u64| (count + 1) as f64 / (events + 1) as f64;
        Self { measured: atoms.into_iter().map(|(atom, count)| (atom.into(), share(count))).collect() }
    }

    /// The share of events that at least one of the atoms lets through, at most.
    pub(crate) fn share(&self, atoms: &[Atom], fields: &Fields) -> f64 {
        atoms.iter().map(|atom| self.share_of_one(atom, fields)).sum()
    }

    /// Whether the shares of all atoms were measured.
    pub(crate) fn is_measured(&self, atoms: &[Atom], fields: &Fields) -> bool {
        atoms.iter().all(|atom| self.measured_share(atom, fields).is_some())
    }

    fn share_of_one(&self, atom: &Atom, fields: &Fields) -> f64 {
        self.measured_share(atom, fields)
            .unwrap_or_else(|| estimate(&atom.kind, &fields.field(atom.slot).name))
    }

    fn measured_share(&self, atom: &Atom, fields: &Fields) -> Option<f64> {
        if self.measured.is_empty() {
            return None;
        }
        self.measured.get(atom.describe(fields).as_str()).copied()
    }
}

/// A guess, where nothing was measured. The figures only need to be in the right order.
fn estimate(kind: &AtomKind, field: &str) -> f64 {
    let coarse = COARSE.iter().position(|name| *name == field);
    match kind {
        AtomKind::Present => 0.6,
        // The gate asks these.
        _ if coarse.is_some_and(|place| place < 3) => 0.9,
        _ if coarse.is_some() => 0.2,
        AtomKind::Text(text) if COMMON_TEXTS.contains(&&**text) => 0.03,
        AtomKind::Text(_) => 0.001,
        AtomKind::Value(..) => 0.02,
        AtomKind::Part(text, _) => part(text),
    }
}

/// Rarer the longer a part is, beside what is common in it.
fn part(text: &str) -> f64 {
    let mut rest = text.to_owned();
    for common in COMMON_PARTS {
        rest = rest.replace(common, "");
    }
    let telling = rest.chars().filter(|c| c.is_alphanumeric()).count();
    (0.5 * 0.5_f64.powi(telling.min(12) as i32)).max(0.0005)
}

#[cfg(test)]
mod tests {
    use maxspan_event::{Field, FieldType};

    use super::super::atom::Place;
    use super::*;

    #[test]
    fn what_is_rare_comes_first() {
        let mut fields = Fields::default();
        let mut atom = |name: &str, kind: AtomKind| Atom {
            slot: fields.slot(&Field::new(name, FieldType::Keyword)),
            kind,
        };
        let text = |text: &str| AtomKind::Text(text.into());
        let part = |text: &str| AtomKind::Part(text.into(), Place::Anywhere);
        let order = [
            atom("process.name", text("mimikatz.exe")),
            atom("process.name", text("cmd.exe")),
            atom("file.path", part("\\windows\\system32\\ab")),
            atom("event.action", text("exec")),
            atom("file.path", part("c:\\windows\\")),
            atom("process.name", AtomKind::Present),
            atom("host.os.type", text("linux")),
        ];
        let guess = Selectivity::default();
        let shares = order.each_ref().map(|atom| guess.share(std::slice::from_ref(atom), &fields));
        assert!(shares.is_sorted(), "{shares:?}");
        let measured = Selectivity::measured(99, [(order[6].describe(&fields).as_str(), 0)]);
        assert!((measured.share(&order[6..], &fields) - 0.01).abs() < 1e-9);
    }
}
