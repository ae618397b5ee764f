//! `MX1630` to `MX1634`: the ATT&CK mapping of a rule against the table of ids ([`crate::attack`]).
//!
//! Only `MITRE ATT&CK` is looked at; `MITRE ATLAS` has other ids.

use maxspan_diagnostics::codes;

use super::subject::Subject;
use crate::attack::{self, Entry};
use crate::document::{Threat, ThreatRef};

pub(super) fn check(subject: &mut Subject<'_>) {
    let rule = subject.rule;
    for threat in rule.threat.iter().filter(|threat| threat.framework == "MITRE ATT&CK") {
        tactic(subject, threat);
        for technique in &threat.technique {
            let named = ThreatRef {
                id: technique.id.clone(),
                name: technique.name.clone(),
                reference: technique.reference.clone(),
            };
            if let Some(entry) = technique_entry(subject, &named)
                && !entry.tactics.contains(&threat.tactic.id.as_str())
                && attack::tactic(&threat.tactic.id).is_some()
            {
                let message = format!(
                    "technique `{}` ({}) does not belong to tactic `{}` ({})",
                    named.id, named.name, threat.tactic.id, threat.tactic.name
                );
                let help = format!("its tactics are {}", entry.tactics.join(", "));
                subject.say_of_text(&quoted(&named.id), "threat", codes::LINT_ATTACK_PLACE, message, &help);
            }
            for sub in technique.subtechnique.iter().flatten() {
                technique_entry(subject, sub);
                if attack::parent(&sub.id) != Some(technique.id.as_str()) {
                    let message =
                        format!("sub-technique `{}` does not belong to technique `{}`", sub.id, technique.id);
                    let help = "list it under the technique whose id it begins with";
                    subject.say_of_text(&quoted(&sub.id), "threat", codes::LINT_ATTACK_PLACE, message, help);
                }
            }
        }
    }
}

fn tactic(subject: &mut Subject<'_>, threat: &Threat) {
    let tactic = &threat.tactic;
    let Some(name) = attack::tactic(&tactic.id) else {
        return unknown(subject, &tactic.id, "tactic");
    };
    compare(subject, tactic, name, &format!("tactics/{}", tactic.id));
}

/// Looks at a technique or sub-technique by itself; gives its entry unless it is unknown or retired.
fn technique_entry(subject: &mut Subject<'_>, named: &ThreatRef) -> Option<Entry> {
    let Some(entry) = attack::technique(&named.id) else {
        unknown(subject, &named.id, "technique");
        return None;
    };
    if entry.retired {
        let message = format!("ATT&CK has taken `{}` ({}) back", named.id, entry.name);
        let help = entry
            .successor
            .map_or("map the rule to what it detects now".to_owned(), |id| format!("use `{id}`"));
        subject.say_of_text(&quoted(&named.id), "threat", codes::LINT_ATTACK_RETIRED, message, &help);
        return None;
    }
    compare(subject, named, entry.name, &format!("techniques/{}", named.id.replace('.', "/")));
    Some(entry)
}

fn unknown(subject: &mut Subject<'_>, id: &str, what: &str) {
    let message = format!("ATT&CK {} for enterprises has no {what} `{id}`", attack::VERSION);
    let help = "look the id up on https://attack.mitre.org";
    subject.say_of_text(&quoted(id), "threat", codes::LINT_ATTACK_UNKNOWN, message, help);
}

/// Compares name and reference with what belongs to the id.
fn compare(subject: &mut Subject<'_>, named: &ThreatRef, name: &str, page: &str) {
    if named.name != name {
        let message = format!("`{}` is `{name}` in ATT&CK, not `{}`", named.id, named.name);
        subject.say_of_text(
            &quoted(&named.id),
            "threat",
            codes::LINT_ATTACK_NAME,
            message,
            "correct the name or the id",
        );
    }
    let reference = named.reference.trim_end_matches('/');
    if !reference.is_empty() && !reference.ends_with(&format!("attack.mitre.org/{page}")) {
        let message = format!("`{}` is not the page of `{}`", named.reference, named.id);
        let help = format!("write https://attack.mitre.org/{page}/");
        subject.say_of_text(&named.reference, "threat", codes::LINT_ATTACK_LINK, message, &help);
    }
}

fn quoted(id: &str) -> String {
    format!("\"{id}\"")
}

#[cfg(test)]
mod tests {
    use super::super::support::check_fields;

    /// A mapping to a tactic and a technique, and perhaps a sub-technique.
    fn check(tactic: [&str; 2], technique: [&str; 2], sub: Option<[&str; 2]>, expected: &[&str]) {
        let page = |id: &str| {
            let kind = if id.starts_with("TA") { "tactics" } else { "techniques" };
            format!("reference = \"https://attack.mitre.org/{kind}/{}/\"", id.replace('.', "/"))
        };
        let named = |[id, name]: [&str; 2]| format!("id = \"{id}\"\nname = \"{name}\"\n{}\n", page(id));
        let mut fields = format!(
            "[[rule.threat]]\nframework = \"MITRE ATT&CK\"\n[[rule.threat.technique]]\n{}",
            named(technique)
        );
        if let Some(sub) = sub {
            fields += &format!("[[rule.threat.technique.subtechnique]]\n{}", named(sub));
        }
        fields += &format!("[rule.threat.tactic]\n{}", named(tactic));
        check_fields(&fields, expected);
    }

    #[test]
    fn mappings() {
        let execution = ["TA0002", "Execution"];
        let interpreter = ["T1059", "Command and Scripting Interpreter"];
        check(execution, interpreter, Some(["T1059.001", "PowerShell"]), &[]);
        check(execution, ["T9999", "X"], None, &["MX1630 14:6 T9999"]);
        check(["TA9999", "X"], interpreter, None, &["MX1630 TA9999"]);
        check(execution, ["T1064", "Scripting"], None, &["MX1631 use `T1059`"]);
        check(execution, ["T1059", "Scripting"], None, &["MX1632 Command and Scripting"]);
        check(["TA0001", "Initial Access"], interpreter, None, &["MX1633 TA0001"]);
        check(execution, interpreter, Some(["T1053.003", "Cron"]), &["MX1633 T1059"]);
    }

    #[test]
    fn pages() {
        let fields = "[[rule.threat]]\nframework = \"MITRE ATT&CK\"\n[rule.threat.tactic]\nid = \"TA0002\"\n\
                      name = \"Execution\"\nreference = \"https://attack.mitre.org/tactics/TA0001/\"";
        check_fields(fields, &["MX1634 16:14 TA0001"]);
        check_fields(&fields.replace("MITRE ATT&CK", "MITRE ATLAS"), &[]);
    }
}
