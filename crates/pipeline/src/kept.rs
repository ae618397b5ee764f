//! The detections of a hunt until its end: the recursion guard, one [`Retained`] a rule, and documents out of memory.

use std::collections::{BTreeMap, BTreeSet};

use maxspan_engine::{Correlator, Detection, EventStore, MovedEvents, RuleId, SpillError};
use maxspan_event::date;
use maxspan_plan::PlanKind;
use maxspan_rules::RuleType;
use maxspan_rules::alert::{Suppression, is_recursive};

use crate::retained::Retained;
use crate::rows_runs::{FoundRow, RowsRuns};
use crate::rule_base::RuleBase;
use crate::source::source_event;
use crate::span::Span;
use crate::suppress::Suppressing;

/// What raises an alert, or several of a sequence.
#[derive(Debug)]
pub(crate) enum Raised {
    Detection(Detection, Option<Box<Suppression>>),
    Row(FoundRow, Option<Box<Suppression>>),
}

impl Raised {
    /// The rule that raises it.
    pub(crate) fn rule(&self) -> RuleId {
        match self {
            Self::Detection(one, _) => one.rule,
            Self::Row(one, _) => one.rule,
        }
    }

    /// The run that raises it, in milliseconds since 1970, where the rule goes by runs.
    pub(crate) fn run_ms(&self) -> Option<i64> {
        match self {
            Self::Detection(one, _) => one.known_ms,
            Self::Row(one, _) => Some(one.run_ms),
        }
    }

    /// What is folded into the alert.
    pub(crate) fn suppression(&self) -> Option<&Suppression> {
        let (Self::Detection(_, suppression) | Self::Row(_, suppression)) = self;
        suppression.as_deref()
    }

    /// The same, to fold more into it.
    pub(crate) fn suppression_mut(&mut self) -> Option<&mut Suppression> {
        let (Self::Detection(_, suppression) | Self::Row(_, suppression)) = self;
        suppression.as_deref_mut()
    }

    /// Says what is folded into the alert.
    pub(crate) fn set_suppression(&mut self, folded: Suppression) {
        let (Self::Detection(_, suppression) | Self::Row(_, suppression)) = self;
        *suppression = Some(Box::new(folded));
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
    /// What folds the alerts of rules that have suppression.
    pub(crate) suppressing: Suppressing<'a>,
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
        suppressing: Suppressing<'a>,
        fresh_bytes_max: usize,
    ) -> Self {
        Self {
            rules,
            retained,
            rows,
            span: Span::new(rules),
            suppressing,
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
                match self.suppressing.take(events, detection) {
                    Ok(Some(detection)) => self.retained[rule].push(detection),
                    Ok(None) => {}
                    Err(error) => self.cannot_read(error),
                }
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
            let mut put_aside = |event: &mut _| correlator.put_aside(event, &mut moved);
            self.retained[rule].visit_fresh(&mut put_aside);
            self.suppressing.visit_fresh(rule, &mut put_aside);
        }
    }

    /// All that is kept, by time, then by rule; the order within a rule stays.
    pub(crate) fn finish(&mut self, store: &EventStore) -> Vec<Raised> {
        let mut all = Vec::new();
        let mut to_fold: BTreeMap<RuleId, Vec<FoundRow>> = BTreeMap::new();
        for row in self.rows.take_found() {
            if self.suppressing.has(row.rule) {
                to_fold.entry(row.rule).or_default().push(row);
            } else {
                all.push(Raised::Row(row, None));
            }
        }
        for number in 0..self.retained.len() {
            let (rule, kept) = (RuleId(number as u32), self.retained[number].finish());
            if self.suppressing.has(rule) {
                let kept = self.without_recursive(store, rule, kept);
                let rows = to_fold.remove(&rule).unwrap_or_default();
                all.extend(self.suppressing.finish(rule, store, kept, rows));
            } else {
                all.extend(kept.into_iter().map(|one| Raised::Detection(one, None)));
            }
        }
        for error in std::mem::take(&mut self.suppressing.unread) {
            self.cannot_read(error);
        }
        let order = |one: &Raised| match one {
            Raised::Detection(one, _) => (one.time, &self.rules.document(one.rule).rule_id),
            Raised::Row(one, _) => {
                (Some(date::from_millis(one.run_ms)), &self.rules.document(one.rule).rule_id)
            }
        };
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        all
    }

    /// What is left of an EQL rule's detections by the recursion guard, which for these comes after the cap: what raises no
    /// alert is not folded into one.
    fn without_recursive(
        &mut self,
        store: &EventStore,
        rule: RuleId,
        mut kept: Vec<Detection>,
    ) -> Vec<Detection> {
        if self.rules.document(rule).rule_type() == RuleType::Eql {
            kept.retain(|detection| match self.is_recursive(store, detection) {
                Ok(is_recursive) => {
                    self.recursive += u64::from(is_recursive);
                    !is_recursive
                }
                Err(error) => {
                    self.cannot_read(error);
                    false
                }
            });
        }
        kept
    }
}
