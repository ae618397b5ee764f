//! What the demo is made of: our own rules and a made-up afternoon.

pub(crate) mod scenario;

use std::sync::Arc;

use maxspan_diagnostics::Source;
use maxspan_rules::{LoadedRules, TomlOptions, parse_toml};

/// Our rules by the names of their files.
const RULES: [(&str, &str); 2] = [
    (
        "rules/macos/installer_package_spawns_network_event.toml",
        include_str!("../../../rules/macos/installer_package_spawns_network_event.toml"),
    ),
    (
        "rules/macos/softwareupdate_preferences_modification.toml",
        include_str!("../../../rules/macos/softwareupdate_preferences_modification.toml"),
    ),
];

/// The demo's rules, as if they were loaded from their files.
pub(crate) fn rules() -> LoadedRules {
    let mut loaded = LoadedRules::default();
    for (name, text) in RULES {
        let source = Arc::new(Source::new(name, text));
        let parsed = parse_toml(&source, &TomlOptions { any_maturity: false, version_lock: None });
        loaded.rules.extend(parsed.rules);
        loaded.counts.rules_failed += parsed.rules_failed;
        loaded.problems.push((source, parsed.diagnostics));
    }
    loaded
}

/// The demo's events as NDJSON.
pub(crate) fn events() -> String {
    scenario::events().iter().map(|event| event.to_string() + "\n").collect()
}
