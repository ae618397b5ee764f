//! Made-up rules for benchmarks, over the made-up events of the crate `event`: the same number gives the same rule.

#[path = "../../../event/benches/made_up/mod.rs"]
mod events;

pub(crate) use events::mixed;

use maxspan_engine::{CompiledRule, RuleSet, RuleSetBuilder};
use maxspan_event::Schema;

/// A rule set of so many rules. They look for what no event has, but for one in a hundred.
pub(crate) fn rule_set(count: usize) -> RuleSet {
    let mut builder = RuleSetBuilder::new(Schema::built_in());
    for number in 0..count {
        let query = query(number);
        let (tree, _) = maxspan_eql::parse(&query);
        let lowered = tree.map(|tree| {
            let options = maxspan_eql::LowerOptions::default();
            maxspan_eql::lower(&tree, &query, &builder.schema, &mut builder.fields, &options)
        });
        let plan = lowered.and_then(|(plan, _)| plan).expect("the query is sound");
        let timestamp = builder.slot("@timestamp");
        builder.add(CompiledRule::new(plan, timestamp));
    }
    builder.build(true)
}

/// Shapes as rules in production have them: most begin with the kind of event, then look for names and parts of texts.
fn query(number: usize) -> String {
    match number % 10 {
        _ if number % 100 == 99 => {
            format!(r#"process where event.type == "start" and process.name : "tool{}.exe""#, number + 1)
        }
        0 | 1 => format!(
            r#"process where host.os.type == "windows" and event.type == "start" and
               process.name : ("bad{number}.exe", "worse{number}*") and not process.parent.name == "shell.exe""#
        ),
        2 => format!(
            r#"process where host.os.type == "windows" and event.type == "start" and
               (process.pe.original_file_name == "bad{number}.exe" or process.name : "bad{number}.exe") and
               process.args : ("--evil{number}", "/x{number}*")"#
        ),
        3 => format!(
            r#"process where event.type == "start" and process.command_line : ("*evil{number} *", "*-enc{number}*")"#
        ),
        4 => format!(
            r#"process where host.os.type == "linux" and event.action in ("exec", "fork") and
               process.executable : "/usr/bin/bad{number}""#
        ),
        5 => format!(
            r#"registry where registry.path : ("HKLM\\Software\\Evil{number}\\*", "*\\Run\\Evil{number}") and
               registry.data.strings != null"#
        ),
        6 => format!(
            r#"file where event.type != "deletion" and file.path : "?:\\Users\\*\\Evil{number}\\*.dll" and
               not process.executable : "C:\\Program Files\\*""#
        ),
        7 => format!(
            r#"network where network.direction == "egress" and destination.port == {number} and
               not cidrmatch(destination.ip, "192.0.2.0/24", "203.0.113.0/24")"#
        ),
        8 => format!(
            r#"any where event.dataset == "example.audit" and event.action == "BadAction{number}" and
               event.outcome == "success""#
        ),
        _ => format!(
            r#"sequence by host.id with maxspan=1m
               [process where event.type == "start" and process.name : "first{number}.exe"]
               [network where destination.domain : "*.evil{number}.example.net"]"#
        ),
    }
}
