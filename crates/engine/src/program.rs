//! The predicates of all units, with the conditions that several of them share evaluated at most once an event.

use maxspan_event::{Fields, Slots};
use maxspan_plan::{Environment, Expr, Predicate, TestKind, dump};
use rustc_hash::FxHashMap;

/// A predicate whose conditions are numbered.
#[derive(Debug)]
enum Node {
    Constant(bool),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(u32),
}

/// A condition that is no combination of others.
#[derive(Debug)]
struct Leaf {
    predicate: Predicate,
    /// Whether more than one unit has it.
    shared: bool,
}

/// The predicates of all units. Immutable.
#[derive(Debug, Default)]
pub(crate) struct Program {
    units: Vec<Node>,
    leaves: Vec<Leaf>,
}

/// The conditions of one event that were evaluated. Reused from event to event.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// By leaf, the event's number and the answer in the last bit.
    known: Vec<u32>,
    event: u32,
}

impl Answers {
    /// Forgets the last event.
    pub(crate) fn begin(&mut self, program: &Program) {
        self.event = (self.event + 1) & (u32::MAX >> 1);
        if self.event == 0 || self.known.len() != program.leaves.len() {
            self.known.clear();
            self.known.resize(program.leaves.len(), 0);
            self.event = 1;
        }
    }
}

/// Makes a program.
pub(crate) struct ProgramBuilder<'a> {
    fields: &'a Fields,
    program: Program,
    /// Leaves by how they are dumped, which is nearly, but not quite, unique.
    by_text: FxHashMap<String, Vec<u32>>,
}

impl<'a> ProgramBuilder<'a> {
    pub(crate) fn new(fields: &'a Fields) -> Self {
        Self { fields, program: Program::default(), by_text: FxHashMap::default() }
    }

    /// Adds the predicate of the next unit.
    pub(crate) fn add(&mut self, predicate: &Predicate) {
        let node = self.node(predicate);
        self.program.units.push(node);
    }

    pub(crate) fn build(self) -> Program {
        self.program
    }

    fn node(&mut self, predicate: &Predicate) -> Node {
        match predicate {
            Predicate::Constant(value) => Node::Constant(*value),
            Predicate::And(all) => Node::And(self.nodes(all)),
            Predicate::Or(any) => Node::Or(self.nodes(any)),
            Predicate::Not(inner) => Node::Not(Box::new(self.node(inner))),
            leaf => Node::Leaf(self.leaf(leaf)),
        }
    }

    /// The nodes of a list, the cheap ones first.
    fn nodes(&mut self, list: &[Predicate]) -> Vec<Node> {
        let mut list: Vec<&Predicate> = list.iter().collect();
        list.sort_by_key(|predicate| cost(predicate));
        list.into_iter().map(|predicate| self.node(predicate)).collect()
    }

    fn leaf(&mut self, predicate: &Predicate) -> u32 {
        let Self { program, by_text, fields } = self;
        let same = by_text.entry(dump::predicate(predicate, fields)).or_default();
        if let Some(number) =
            same.iter().copied().find(|number| program.leaves[*number as usize].predicate == *predicate)
        {
            program.leaves[number as usize].shared = true;
            return number;
        }
        let number = program.leaves.len() as u32;
        same.push(number);
        program.leaves.push(Leaf { predicate: predicate.clone(), shared: false });
        number
    }
}

/// What a condition costs beside others, roughly.
pub(crate) fn cost(predicate: &Predicate) -> u32 {
    match predicate {
        Predicate::Constant(_) | Predicate::Lineage(_) => 0,
        Predicate::Test(test) => match &test.kind {
            TestKind::Exists | TestKind::OneOf(_) | TestKind::Compare(..) | TestKind::Between(..) => 1,
            TestKind::Cidr(_) => 2,
            TestKind::Wildcard(patterns) => 3 + patterns.len() as u32,
            TestKind::Text(_) => 50,
            TestKind::Regex(patterns) => 100 * patterns.len() as u32,
        },
        Predicate::Script(expr) => 10 + script_cost(expr),
        Predicate::Not(inner) => cost(inner),
        Predicate::And(list) | Predicate::Or(list) => list.iter().map(cost).sum(),
        Predicate::Leaves(_) | Predicate::Nested(..) => 1_000,
    }
}

fn script_cost(expr: &Expr) -> u32 {
    match expr {
        Expr::Constant(_) | Expr::Field(_) => 1,
        Expr::Call(_, list, _) => 10 + list.iter().map(script_cost).sum::<u32>(),
        Expr::Compare(_, left, right) => script_cost(left) + script_cost(right),
        Expr::In(value, list, _) => script_cost(value) + list.len() as u32,
        Expr::Wildcard(value, patterns) => script_cost(value) + 3 * patterns.len() as u32,
        Expr::Regex(value, patterns) => script_cost(value) + 100 * patterns.len() as u32,
        Expr::IsNull(inner) | Expr::Not(inner) => script_cost(inner),
        Expr::And(list) | Expr::Or(list) => list.iter().map(script_cost).sum(),
    }
}

impl Program {
    /// Whether the event satisfies the unit's predicate.
    pub(crate) fn holds(&self, unit: u32, slots: &Slots, answers: &mut Answers) -> bool {
        self.node_holds(&self.units[unit as usize], slots, answers)
    }

    /// Conditions, and those of them that more than one unit has.
    pub(crate) fn leaf_counts(&self) -> (usize, usize) {
        (self.leaves.len(), self.leaves.iter().filter(|leaf| leaf.shared).count())
    }

    fn node_holds(&self, node: &Node, slots: &Slots, answers: &mut Answers) -> bool {
        match node {
            Node::Constant(value) => *value,
            Node::And(all) => all.iter().all(|one| self.node_holds(one, slots, answers)),
            Node::Or(any) => any.iter().any(|one| self.node_holds(one, slots, answers)),
            Node::Not(inner) => !self.node_holds(inner, slots, answers),
            Node::Leaf(number) => self.leaf_holds(*number, slots, answers),
        }
    }

    fn leaf_holds(&self, number: u32, slots: &Slots, answers: &mut Answers) -> bool {
        let leaf = &self.leaves[number as usize];
        if !leaf.shared {
            return leaf.predicate.holds(Environment::new(slots));
        }
        let known = answers.known[number as usize];
        if known >> 1 == answers.event {
            return known & 1 == 1;
        }
        let answer = leaf.predicate.holds(Environment::new(slots));
        answers.known[number as usize] = answers.event << 1 | u32::from(answer);
        answer
    }
}
