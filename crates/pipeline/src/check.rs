//! The check of rules: everything there is to say about them, from reading and compiling, from lints, and from data.
//!
//! ```no_run
//! use maxspan_pipeline::check::{Check, CheckOptions};
//! use maxspan_rules::{LoadOptions, load_paths};
//! let loaded = load_paths(&["rules".into()], &LoadOptions::default());
//! let checked = Check::new(loaded, CheckOptions { lints: true, ..CheckOptions::default() }).finish();
//! for (source, diagnostic) in &checked.messages {
//!     print!("{}", maxspan_diagnostics::render(source, std::slice::from_ref(diagnostic)));
//! }
//! ```

use std::collections::BTreeMap;

use maxspan_diagnostics::{Code, codes};
use maxspan_rules::LoadedRules;
use maxspan_rules::lint::{Allows, LintOptions, Message, lint};

use crate::against::{Against, AgainstOptions, against};
use crate::input::Reader;
use crate::rule_base::{RuleBase, RuleBaseOptions};

/// How rules are checked.
#[derive(Debug, Default)]
pub struct CheckOptions {
    /// How they are compiled.
    pub base: RuleBaseOptions,
    /// Also lints.
    pub lints: bool,
    /// What is switched off from outside.
    pub allows: Allows,
}

/// A check under way.
#[derive(Debug)]
pub struct Check {
    /// The rules.
    pub rules: RuleBase,
    messages: Vec<Message>,
    allows: Allows,
    names: BTreeMap<String, String>,
    lints: bool,
    against: Option<Against>,
}

/// The outcome of a check.
#[derive(Debug)]
pub struct Checked {
    /// The rules.
    pub rules: RuleBase,
    /// What is said about them, without what is switched off, by text and place.
    pub messages: Vec<Message>,
    /// What the data say, where there are any.
    pub against: Option<Against>,
}

impl Check {
    /// Compiles the rules, and with lints looks at them more closely.
    pub fn new(loaded: LoadedRules, options: CheckOptions) -> Self {
        let CheckOptions { base, lints, mut allows } = options;
        allows.add_rules(&loaded.rules);
        let names = loaded.rules.iter().map(|rule| (rule.rule_id.clone(), rule.name.clone())).collect();
        let lint_options = LintOptions { schema: &base.schema, now: base.compile.now };
        let found = if lints { lint(&loaded.rules, lint_options) } else { Vec::new() };
        let mut rules = RuleBase::new(loaded, &base);
        let mut messages = std::mem::take(&mut rules.diagnostics);
        messages.extend(found);
        Self { rules, messages, allows, names, lints, against: None }
    }

    /// Compares the rules with events.
    pub fn against(&mut self, reader: &mut Reader, options: &AgainstOptions) {
        let (against, found) = against(&self.rules, reader, options);
        self.messages.extend(found);
        self.against = Some(against);
    }

    /// The outcome.
    pub fn finish(mut self) -> Checked {
        let mut messages = self.allows.apply(self.messages, &self.names);
        let (lints, against) = (self.lints, self.against.is_some());
        let asked = |code: Code| match code.info().number {
            1670..1680 => against,
            1600..1700 => lints,
            _ => true,
        };
        messages.extend(self.allows.messages(asked));
        let place = |(source, one): &Message| (source.name.clone(), one.span.start, one.code.info().number);
        messages.sort_by_cached_key(place);
        Checked { rules: self.rules, messages, against: self.against }
    }
}

impl Checked {
    /// Whether the message makes the check fail: an error does, a warning only where all count.
    pub fn fails(message: &Message, warnings_fail: bool) -> bool {
        let (_, diagnostic) = message;
        let warning = diagnostic.severity() == maxspan_diagnostics::Severity::Warning;
        diagnostic.is_error() || warnings_fail && warning && diagnostic.code != codes::RULE_NOT_RUN
    }
}
