//! A condition that chooses events one by one, with the code that matches rules: for whoever copies events.
//!
//! ```
//! use maxspan_pipeline::query::{QueryLanguage, QueryOptions};
//! use maxspan_pipeline::select::{Choice, Selection};
//! let choice = Choice { condition: Some("process.name: sh".to_owned()), ..Choice::default() };
//! let options = QueryOptions { language: QueryLanguage::Kql, ..QueryOptions::default() };
//! let selection = Selection::new(&choice, &options).unwrap();
//! let mut selector = selection.selector();
//! assert!(selector.chooses(None, br#"{"process": {"name": "sh"}}"#).unwrap());
//! assert!(!selector.chooses(None, br#"{"process": {"name": "bash"}}"#).unwrap());
//! ```

use maxspan_diagnostics::{Diagnostic, Source, codes};
use maxspan_engine::{CompiledRule, EventInput, RuleSet, RuleSetBuilder, Scratch};
use maxspan_event::index::IndexPatterns;
use maxspan_event::{DecodeError, Fields};
use maxspan_plan::{Plan, PlanKind, Predicate, TestKind};

use crate::query::{QueryLanguage, QueryOptions, plan};

/// What an EQL condition stands behind, so that it is a query.
const ANY: &str = "any where ";

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// A condition of EQL (what stands behind `where`), or a query of KQL.
    pub condition: Option<String>,
    /// Index patterns; none for all.
    pub indices: Vec<String>,
    /// The first and the last instant of `@timestamp`, in nanoseconds.
    pub window: Option<(i64, i64)>,
}

/// A condition that cannot be used.
#[derive(Debug)]
pub struct ConditionError {
    /// The condition as it was read.
    pub source: Source,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// A compiled choice.
#[derive(Debug)]
pub struct Selection {
    rules: RuleSet,
    condition: Predicate,
    fields: Fields,
    default_index: String,
}

/// A selection at work.
#[derive(Debug)]
pub struct Selector<'a> {
    selection: &'a Selection,
    scratch: Scratch,
}

impl Selection {
    /// Compiles a choice.
    pub fn new(choice: &Choice, options: &QueryOptions) -> Result<Self, Box<ConditionError>> {
        let mut builder = RuleSetBuilder::new(options.schema.clone());
        let mut all = Vec::new();
        if let Some(text) = &choice.condition {
            let text = match options.language {
                QueryLanguage::Eql => format!("{ANY}{text}"),
                QueryLanguage::Kql => text.clone(),
            };
            let (plan, mut found) = plan(&text, &mut builder, options);
            match plan.map(|plan| (plan.limits.is_empty(), plan.kind)) {
                Some((true, PlanKind::Events(predicate))) => all.push(predicate),
                Some(_) => {
                    let message = "a condition is about one event: no sequence, no sample, no pipe";
                    found.push(Diagnostic::new(
                        codes::EQL_STAGES,
                        maxspan_diagnostics::Span::default(),
                        message,
                    ));
                    return Err(Box::new(unusable(text, found)));
                }
                None => return Err(Box::new(unusable(text, found))),
            }
        }
        let timestamp = builder.slot(&options.timestamp_field);
        if let Some((from, to)) = choice.window {
            let kind = builder.fields.field(timestamp).kind;
            all.push(Predicate::test(timestamp, TestKind::instants(from, to, kind)));
        }
        let condition = Predicate::and(all);
        let fields = builder.fields.clone();
        let mut rule = CompiledRule::new(Plan::new(PlanKind::Events(condition.clone())), timestamp);
        rule.indices = IndexPatterns::new(choice.indices.iter().map(String::as_str));
        builder.add(rule);
        let rules = builder.build(options.normalize);
        Ok(Self { rules, condition, fields, default_index: options.default_index.clone() })
    }

    /// What is asked of an event, and the fields that it is asked in.
    pub fn condition(&self) -> (&Predicate, &Fields) {
        (&self.condition, &self.fields)
    }

    /// A worker's view of it.
    pub fn selector(&self) -> Selector<'_> {
        Selector { selection: self, scratch: Scratch::default() }
    }
}

fn unusable(text: String, diagnostics: Vec<Diagnostic>) -> ConditionError {
    ConditionError { source: Source::new("condition", text), diagnostics }
}

impl Selector<'_> {
    /// Whether an event is chosen. An error where it cannot be decoded.
    pub fn chooses(&mut self, index: Option<&str>, source: &[u8]) -> Result<bool, DecodeError> {
        let index = index.filter(|index| !index.is_empty());
        let input = EventInput { index, default_index: &self.selection.default_index, id: None, source };
        let matched = self.selection.rules.match_event(&input, &mut self.scratch)?;
        Ok(matched.is_some())
    }
}
