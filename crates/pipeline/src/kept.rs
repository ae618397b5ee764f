//! The detections of a hunt until its end: the recursion guard, one [`Retained`] a rule, and documents out of memory.

use std::collections::BTreeSet;

use maxspan_engine::{Correlator, Detection, EventStore, MovedEvents, RuleId, SpillError};
use maxspan_event::date;
use maxspan_plan::PlanKind;
use maxspan_rules::RuleType;
use maxspan_rules::alert::is_recursive;

use crate::retained::Retained;
use crate::rows_runs::{FoundRow, RowsRuns};
use crate::rule_base::RuleBase;
use crate::source::source_event;
use crate::span::Span;

/// What raises an alert, or several of a sequence.
#[derive(Debug)]
pub(crate) enum Raised {
    Detection(Detection),
    Row(FoundRow),
}

impl Raised {
    /// The rule that raises it.
    pub(crate) fn rule(&self) -> RuleId {
        match self {
            Self::Detection(one) => one.rule,
            Self::Row(one) => one.rule,
        }
    }

    /// The run that raises it, in milliseconds since 1970, where the rule goes by runs.
    pub(crate) fn run_ms(&self) -> Option<i64> {
        match self {
            Self::Detection(one) => one.known_ms,
            Self::Row(one) => Some(one.run_ms),
        }
    }
}

/// What is kept of all rules.
#[derive(Debug)]
pub(crate) struct KeptDetections<'a> {
    rules: &'a RuleBase,
    /// One for each rule, by its number.
    pub(crate) retained: Vec<Retained>,
    /// What runs the rules that look at windows as a whole.
    pub(crate) rows: RowsRuns<'a>,
    /// What happened when is kept.
    span: Span<'a>,
    /// Rules with detections whose documents may be in memory.
    fresh: BTreeSet<usize>,
    /// Bytes of documents in memory, at most.
    fresh_bytes: usize,
    fresh_bytes_max: usize,
    /// Detections that the recursion guard dropped.
    pub(crate) recursive: u64,
    /// Detections whose document could not be read again.
    pub(crate) unread: u64,
    /// Why.
    pub(crate) error: Option<SpillError>,
}

impl<'a> KeptDetections<'a> {
    /// Nothing is kept yet; documents may take so many bytes of memory.
    pub(crate) fn new(
        rules: &'a RuleBase,
        retained: Vec<Retained>,
        rows: RowsRuns<'a>,
        fresh_bytes_max: usize,
    ) -> Self {
        Self {
            rules,
            retained,
            rows,
            span: Span::new(rules),
            fresh: BTreeSet::new(),
            fresh_bytes: 0,
            fresh_bytes_max,
            recursive: 0,
            unread: 0,
            error: None,
        }
    }

    /// Takes what the matches of one event made ready.
    pub(crate) fn keep_ready(&mut self, correlator: &mut Correlator) {
        let ready: Vec<Detection> = correlator.drain().collect();
        let bytes = |one: &Detection| one.present().map(maxspan_engine::KeptEvent::document_bytes).sum();
        // The detections of one event share its document.
        let most: usize = ready.iter().map(bytes).max().unwrap_or(0);
        for detection in ready {
            self.keep(correlator.events(), detection);
        }
        self.fresh_bytes += most;
        if self.fresh_bytes > self.fresh_bytes_max {
            self.put_aside(correlator);
        }
    }

    /// Keeps a detection until the end. What the recursion guard drops takes no place under the cap of a KQL rule, as
    /// in Kibana, which counts the alerts that were made. The cap of an EQL rule is the size of the search, so there the
    /// guard comes after it.
    pub(crate) fn keep(&mut self, events: &EventStore, detection: Detection) {
        if self.rows.runs(detection.rule) {
            return self.rows.run(events, &detection);
        }
        match self.span.contains(events, &detection) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return self.cannot_read(error),
        }
        let rule = detection.rule.0 as usize;
        let eql = self.rules.document(detection.rule).rule_type() == RuleType::Eql;
        match if eql { Ok(false) } else { self.is_recursive(events, &detection) } {
            Ok(false) => {
                self.fresh.insert(rule);
                self.retained[rule].push(detection);
            }
            Ok(true) => self.recursive += 1,
            Err(error) => self.cannot_read(error),
        }
    }

    /// Counts a detection that is lost, since its document cannot be read again.
    pub(crate) fn cannot_read(&mut self, error: SpillError) {
        self.unread += 1;
        self.error.get_or_insert(error);
    }

    /// Whether an event of the detection is an alert of the same rule, or came from one. Documents without the words of
    /// an alert are not parsed. Keys written with escapes pass here; the guard finds them when the alert is made.
    fn is_recursive(&self, events: &EventStore, detection: &Detection) -> Result<bool, SpillError> {
        let rule = self.rules.document(detection.rule);
        let looks_like_an_alert = |source: &[u8]| {
            [&b"kibana"[..], b"signal"].iter().any(|word| memchr::memmem::find(source, word).is_some())
        };
        // Indicators may be alerts, as long as the event is none.
        let is_joined = matches!(self.rules.rule_set.rule(detection.rule).plan.kind, PlanKind::Indicators(_));
        for event in detection.present().take(if is_joined { 1 } else { usize::MAX }) {
            if looks_like_an_alert(&events.source(event)?)
                && is_recursive(rule, &source_event(events, event)?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the documents of what is kept out of memory.
    fn put_aside(&mut self, correlator: &mut Correlator) {
        self.fresh_bytes = 0;
        let mut moved = MovedEvents::default();
        for rule in std::mem::take(&mut self.fresh) {
            self.retained[rule].visit_fresh(&mut |event| correlator.put_aside(event, &mut moved));
        }
    }

    /// All that is kept, by time, then by rule; the order within a rule stays.
    pub(crate) fn finish(&mut self) -> Vec<Raised> {
        let mut all: Vec<Raised> = self.rows.take_found().into_iter().map(Raised::Row).collect();
        for retained in &mut self.retained {
            all.extend(retained.finish().into_iter().map(Raised::Detection));
        }
        let order = |one: &Raised| match one {
            Raised::Detection(one) => (one.time, &self.rules.document(one.rule).rule_id),
            Raised::Row(one) => (Some(date::from_millis(one.run_ms)), &self.rules.document(one.rule).rule_id),
        };
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        all
    }
}
