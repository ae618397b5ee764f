//! Real macOS events of Elastic Defend, one source file a technique: which rules fire, and why others do not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use maxspan_pipeline::hunt::{Collected, HuntOptions, hunt};
use maxspan_pipeline::input::{InputOptions, Reader};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::{LoadOptions, load_paths};
use serde_json::Value;

use crate::support::{Record, shared};

const NO_RULE: &str = "no rule of the corpus at hand is about this technique on macOS";

/// Source files on which no rule fires, and why.
const SILENT: [(&str, &str); 16] = [
    (
        "credaccess_browsers_cookies_access",
        "the rule on browser files asks for a file event `open`; the pack has the process events of `cp`",
    ),
    ("discovery_memory_vmmap", NO_RULE),
    (
        "evasion_deletion_quarantine_xattr",
        "the rule asks for a file event `extended_attributes_delete`; the pack has the process event of `xattr`",
    ),
    ("evasion_install_root_trust_certificate", NO_RULE),
    ("evasion_privesc_credaccess__persis_auth_modules_modif", NO_RULE),
    ("evasion_remove_codesign", NO_RULE),
    ("evasion_tcc_bypass_tccdb_direct_modif_sqlite", NO_RULE),
    (
        "execution_pkg_preinstall_shell_script_file_proc",
        "the rule on installer packages asks for a network event after the shell; the pack has none",
    ),
    (
        "execution_scripting_jxa_osascript_apfell_dwnld",
        "rules on scripts that download ask for a network event; the pack has the process event alone",
    ),
    ("lateral_movement_ssh_from_python_procexec", NO_RULE),
    (
        "persistence_docker_pref_modif_persistjxa",
        "the rule asks for `event.action` `modification`; the pack has a `rename`",
    ),
    (
        "persistence_ssh_authorized_keys_filemod",
        "the rule looks for new terms of `host.id`, among others; the pack's events have none",
    ),
    ("persistence_vim_plugin_filemod", NO_RULE),
    ("privesc_evasion_CVE-2020-9934_fake_tccdb_home_envar_manip", NO_RULE),
    ("privesc_execution_setuid_chmod", "the rule asks for `host.os.type` `linux`"),
    ("privesc_runas_admin_applescript", NO_RULE),
];

/// A rule to learn with, which counts events of any kind.
const ANY_EVENT: &str = "My First Rule";

#[test]
fn real_macos_events() {
    let Some(shared) = shared() else { return };
    let base = RuleBase::new(
        load_paths(&[shared.join("corpus/rules")], &LoadOptions::default()),
        &RuleBaseOptions::default(),
    );
    let mut record = Record::new(
        50,
        "macos-elastic-defend",
        "Real macOS events: source files whose technique raises an alert",
        "listed",
    );
    let file = std::fs::File::open(shared.join("data/macos-elastic-defend.ndjson.gz")).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let source =
            event["_src"].as_str().unwrap().rsplit('/').next().unwrap().trim_end_matches(".json").to_owned();
        sources.entry(source).or_default().push_str(&format!("{line}\n"));
    }
    for (source, events) in sources {
        let fired = fired(&base, &events);
        match (fired.is_empty(), SILENT.iter().find(|(name, _)| *name == source)) {
            (true, Some((_, reason))) => record.exception(source, *reason),
            (true, None) => record.case(source, Err("no rule fires, and nobody says why".to_owned())),
            (false, Some(_)) => {
                record.case(source, Err(format!("{fired:?} fire, but it is listed as silent")));
            }
            (false, None) => {
                record.note(format!("`{source}`: {}", fired.into_iter().collect::<Vec<_>>().join(", ")));
                record.case(source, Ok(()));
            }
        }
    }
    record.finish(50.0);
}

fn fired(base: &RuleBase, events: &str) -> BTreeSet<String> {
    let mut reader =
        Reader::of_bytes("events", std::io::Cursor::new(events.to_owned()), InputOptions::default());
    let mut collected = Collected::default();
    hunt(base, &mut reader, &HuntOptions::default(), &mut collected);
    let names = collected.alerts.iter().map(|alert| base.document(alert.rule).name.clone());
    names.filter(|name| name != ANY_EVENT).collect()
}
