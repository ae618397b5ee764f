//! Aggregates: what STATS computes for each group.
//!
//! An [`Accumulator`] takes the values of one row after another ([`Accumulator::update`]), can be put together with one
//! that saw other rows ([`Accumulator::merge`]), and says how much memory it holds. Null counts for nothing, and several
//! values count one by one, unless the function says otherwise.

use crate::functions::Parameter;
use crate::types::{ANY, DATES, DataType, INTEGERS, NUMBERS, POINTS, TEXTS};
use crate::value::Value;
use crate::warning::Failure;

mod collect;
mod distinct;
mod numbers;
mod spread;

pub(crate) use spread::percentile_of;

use collect::{FirstState, TopState, ValuesState};
use distinct::DistinctState;
use numbers::{AverageState, ExtremeState, SumState, WeightedState};
use spread::{DeviationState, NumbersState};

/// An aggregate function.
#[derive(Debug)]
pub struct AggregateFunction {
    /// The name as the reference writes it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The parameters in order.
    pub parameters: &'static [Parameter],
    /// The type of the result.
    pub returns: AggregateType,
    /// What it does, in one or two sentences.
    pub summary: &'static str,
    /// Aggregates over `[1, 2, 3]` in a column `x`, and their values; tests run them.
    pub example: (&'static str, &'static str),
    kind: Kind,
}

/// The type of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateType {
    /// Always this.
    Is(DataType),
    /// That of the first argument.
    First,
    /// Long for whole numbers, double for others.
    Sum,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    CountDistinct,
    Values,
    Min,
    Max,
    Sum,
    Average,
    WeightedAverage,
    Percentile,
    Median,
    MedianDeviation,
    Deviation,
    Variance,
    First,
    Last,
    Top,
    Present,
    Absent,
}

const fn required(name: &'static str, types: crate::types::Types) -> Parameter {
    Parameter { name, types, optional: false }
}

const fn optional(name: &'static str, types: crate::types::Types) -> Parameter {
    Parameter { name, types, optional: true }
}

const BASE: AggregateFunction = AggregateFunction {
    name: "",
    aliases: &[],
    parameters: &[required("field", NUMBERS)],
    returns: AggregateType::Is(DataType::Double),
    summary: "",
    example: ("", ""),
    kind: Kind::Count,
};

/// All aggregates, sorted by name.
pub static AGGREGATES: &[AggregateFunction] = &[
    AggregateFunction {
        name: "ABSENT",
        parameters: &[required("field", ANY)],
        returns: AggregateType::Is(DataType::Boolean),
        summary: "Whether no row has a value.",
        example: ("ABSENT(x)", "false"),
        kind: Kind::Absent,
        ..BASE
    },
    AggregateFunction {
        name: "AVG",
        summary: "The average of the values.",
        example: ("AVG(x)", "2.0"),
        kind: Kind::Average,
        ..BASE
    },
    AggregateFunction {
        name: "COUNT",
        parameters: &[optional("field", ANY.or(POINTS))],
        returns: AggregateType::Is(DataType::Long),
        summary: "How many values there are; with `*` or without an argument, how many rows.",
        example: ("COUNT(*)", "3"),
        kind: Kind::Count,
        ..BASE
    },
    AggregateFunction {
        name: "COUNT_DISTINCT",
        parameters: &[required("field", ANY), optional("precision", crate::types::WHOLE)],
        returns: AggregateType::Is(DataType::Long),
        summary: "How many different values there are: exact up to 10,000 in a group, beyond estimated with an error of about 0.8 %. The precision of Elasticsearch is not needed.",
        example: ("COUNT_DISTINCT(x)", "3"),
        kind: Kind::CountDistinct,
        ..BASE
    },
    AggregateFunction {
        name: "FIRST",
        parameters: &[required("field", ANY), required("sort", NUMBERS.or(DATES))],
        returns: AggregateType::First,
        summary: "The values of the row in which the second field is least.",
        example: ("FIRST(x, x)", "1"),
        kind: Kind::First,
        ..BASE
    },
    AggregateFunction {
        name: "LAST",
        parameters: &[required("field", ANY), required("sort", NUMBERS.or(DATES))],
        returns: AggregateType::First,
        summary: "The values of the row in which the second field is greatest.",
        example: ("LAST(x, x)", "3"),
        kind: Kind::Last,
        ..BASE
    },
    AggregateFunction {
        name: "MAX",
        parameters: &[required("field", ANY)],
        returns: AggregateType::First,
        summary: "The greatest value.",
        example: ("MAX(x)", "3"),
        kind: Kind::Max,
        ..BASE
    },
    AggregateFunction {
        name: "MEDIAN",
        summary: "The middle value, or the average of the two in the middle; exact.",
        example: ("MEDIAN(x)", "2.0"),
        kind: Kind::Median,
        ..BASE
    },
    AggregateFunction {
        name: "MEDIAN_ABSOLUTE_DEVIATION",
        summary: "The median of the distances of the values from their median; exact.",
        example: ("MEDIAN_ABSOLUTE_DEVIATION(x)", "1.0"),
        kind: Kind::MedianDeviation,
        ..BASE
    },
    AggregateFunction {
        name: "MIN",
        parameters: &[required("field", ANY)],
        returns: AggregateType::First,
        summary: "The least value.",
        example: ("MIN(x)", "1"),
        kind: Kind::Min,
        ..BASE
    },
    AggregateFunction {
        name: "PERCENTILE",
        parameters: &[required("field", NUMBERS), required("percent", NUMBERS)],
        summary: "The value below which so many percent of the values are, between two values in proportion; exact.",
        example: ("PERCENTILE(x, 75)", "2.5"),
        kind: Kind::Percentile,
        ..BASE
    },
    AggregateFunction {
        name: "PRESENT",
        parameters: &[required("field", ANY)],
        returns: AggregateType::Is(DataType::Boolean),
        summary: "Whether some row has a value.",
        example: ("PRESENT(x)", "true"),
        kind: Kind::Present,
        ..BASE
    },
    AggregateFunction {
        name: "STD_DEV",
        summary: "The standard deviation of the values, as of a whole population.",
        example: ("ROUND(STD_DEV(x), 3)", "0.816"),
        kind: Kind::Deviation,
        ..BASE
    },
    AggregateFunction {
        name: "SUM",
        returns: AggregateType::Sum,
        summary: "The sum of the values.",
        example: ("SUM(x)", "6"),
        kind: Kind::Sum,
        ..BASE
    },
    AggregateFunction {
        name: "TOP",
        parameters: &[
            required("field", ANY),
            required("limit", INTEGERS),
            optional("order", TEXTS),
            optional("output", ANY),
        ],
        returns: AggregateType::First,
        summary: "So many of the least (`asc`) or greatest (`desc`) values, repetitions too; with a fourth argument, its values in their place.",
        example: (r#"TOP(x, 2, "desc")"#, "[3, 2]"),
        kind: Kind::Top,
        ..BASE
    },
    AggregateFunction {
        name: "VALUES",
        parameters: &[required("field", ANY)],
        returns: AggregateType::First,
        summary: "All different values, in no order that can be relied on.",
        example: ("MV_SORT(VALUES(x))", "[1, 2, 3]"),
        kind: Kind::Values,
        ..BASE
    },
    AggregateFunction {
        name: "VARIANCE",
        aliases: &["STD_VAR"],
        summary: "The variance of the values, as of a whole population.",
        example: ("ROUND(VARIANCE(x), 3)", "0.667"),
        kind: Kind::Variance,
        ..BASE
    },
    AggregateFunction {
        name: "WEIGHTED_AVG",
        parameters: &[required("value", NUMBERS), required("weight", NUMBERS)],
        summary: "The average of the values, each counted by its weight.",
        example: ("WEIGHTED_AVG(x, 2)", "2.0"),
        kind: Kind::WeightedAverage,
        ..BASE
    },
];

/// The aggregate of a name; case does not matter.
pub fn find(name: &str) -> Option<&'static AggregateFunction> {
    AGGREGATES.iter().find(|function| {
        function.name.eq_ignore_ascii_case(name)
            || function.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    })
}

impl AggregateFunction {
    /// Fewest and most arguments.
    pub fn arity(&self) -> (usize, usize) {
        let required = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        (required, self.parameters.len())
    }

    /// The type of the result for arguments of these types.
    pub fn result_type(&self, arguments: &[DataType]) -> DataType {
        let first = arguments.first().copied().unwrap_or(DataType::Null);
        match self.returns {
            AggregateType::Is(kind) => kind,
            AggregateType::First if self.kind == Kind::Top && first != DataType::Null => {
                arguments.get(3).copied().unwrap_or(first).without_text()
            }
            AggregateType::First => first.without_text(),
            AggregateType::Sum => match first {
                DataType::Integer => DataType::Long,
                other => other,
            },
        }
    }

    /// Whether an argument has to be the same for all rows.
    pub fn is_constant(&self, index: usize) -> bool {
        match self.kind {
            Kind::Percentile | Kind::CountDistinct => index == 1,
            Kind::Top => index == 1 || index == 2,
            _ => false,
        }
    }

    /// A state that has seen no row; `constants` are the arguments that are the same for all rows.
    pub fn accumulator(&self, constants: &[Option<Value>]) -> Result<Accumulator, Failure> {
        let constant = |index: usize| constants.get(index).and_then(Option::as_ref);
        Ok(Accumulator(match self.kind {
            Kind::Count => State::Count(0),
            Kind::CountDistinct => State::Distinct(DistinctState::default()),
            Kind::Values => State::Values(ValuesState::default()),
            Kind::Min => State::Extreme(ExtremeState::new(false)),
            Kind::Max => State::Extreme(ExtremeState::new(true)),
            Kind::Sum => State::Sum(SumState::default()),
            Kind::Average => State::Average(AverageState::default()),
            Kind::WeightedAverage => State::Weighted(WeightedState::new(constant(1))),
            Kind::Median => State::Numbers(NumbersState::percentile(50.0)?),
            Kind::Percentile => {
                let percent = constant(1).and_then(|percent| percent.borrowed().as_double());
                State::Numbers(NumbersState::percentile(percent.unwrap_or(f64::NAN))?)
            }
            Kind::MedianDeviation => State::Numbers(NumbersState::median_deviation()),
            Kind::Deviation => State::Deviation(DeviationState::new(true)),
            Kind::Variance => State::Deviation(DeviationState::new(false)),
            Kind::First => State::First(FirstState::new(false)),
            Kind::Last => State::First(FirstState::new(true)),
            Kind::Top => State::Top(TopState::new(constant(1), constant(2))?),
            Kind::Present => State::Present { seen: false, wanted: true },
            Kind::Absent => State::Present { seen: false, wanted: false },
        }))
    }
}

/// The state of one aggregate of one group.
#[derive(Debug)]
pub struct Accumulator(State);

#[derive(Debug)]
enum State {
    Count(i64),
    Distinct(DistinctState),
    Values(ValuesState),
    Extreme(ExtremeState),
    Sum(SumState),
    Average(AverageState),
    Weighted(WeightedState),
    Numbers(NumbersState),
    Deviation(DeviationState),
    First(FirstState),
    Top(TopState),
    Present { seen: bool, wanted: bool },
}

impl Accumulator {
    /// Takes the arguments of one row; COUNT(*) has none.
    pub fn update(&mut self, arguments: &[Value]) -> Result<(), Failure> {
        let values = arguments.first().map_or(&[][..], Value::values);
        match &mut self.0 {
            State::Count(count) => *count += if arguments.is_empty() { 1 } else { values.len() as i64 },
            State::Distinct(state) => values.iter().for_each(|value| state.add(value)),
            State::Values(state) => values.iter().for_each(|value| state.add(value)),
            State::Extreme(state) => values.iter().for_each(|value| state.add(value)),
            State::Sum(state) => values.iter().for_each(|value| state.add(value)),
            State::Average(state) => values.iter().for_each(|value| state.add(value)),
            State::Weighted(state) => return state.add(arguments),
            State::Numbers(state) => values.iter().for_each(|value| state.add(value)),
            State::Deviation(state) => values.iter().for_each(|value| state.add(value)),
            State::First(state) => state.add(arguments),
            State::Top(state) => state.add(arguments),
            State::Present { seen, .. } => *seen |= !values.is_empty(),
        }
        Ok(())
    }

    /// Takes what another state of the same aggregate has seen.
    pub fn merge(&mut self, other: Self) {
        match (&mut self.0, other.0) {
            (State::Count(count), State::Count(more)) => *count += more,
            (State::Distinct(state), State::Distinct(other)) => state.merge(other),
            (State::Values(state), State::Values(other)) => state.merge(&other),
            (State::Extreme(state), State::Extreme(other)) => state.merge(&other),
            (State::Sum(state), State::Sum(other)) => state.merge(&other),
            (State::Average(state), State::Average(other)) => state.merge(&other),
            (State::Weighted(state), State::Weighted(other)) => state.merge(&other),
            (State::Numbers(state), State::Numbers(other)) => state.merge(other),
            (State::Deviation(state), State::Deviation(other)) => state.merge(&other),
            (State::First(state), State::First(other)) => state.merge(other),
            (State::Top(state), State::Top(other)) => state.merge(other),
            (State::Present { seen, .. }, State::Present { seen: other, .. }) => *seen |= other,
            // States of different aggregates are never put together.
            _ => debug_assert!(false, "states of different aggregates"),
        }
    }

    /// The result.
    pub fn finish(&mut self) -> Result<Value, Failure> {
        match &mut self.0 {
            State::Count(count) => Ok(Value::Long(*count)),
            State::Distinct(state) => Ok(Value::Long(state.count())),
            State::Values(state) => Ok(state.finish()),
            State::Extreme(state) => Ok(state.finish()),
            State::Sum(state) => state.finish(),
            State::Average(state) => Ok(state.finish()),
            State::Weighted(state) => state.finish(),
            State::Numbers(state) => Ok(state.finish()),
            State::Deviation(state) => Ok(state.finish()),
            State::First(state) => Ok(state.finish()),
            State::Top(state) => Ok(state.finish()),
            State::Present { seen, wanted } => Ok(Value::Bool(seen == wanted)),
        }
    }

    /// About how much memory it holds beside its own place.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            State::Distinct(state) => state.bytes(),
            State::Values(state) => state.bytes(),
            State::Numbers(state) => state.bytes(),
            State::First(state) => state.bytes(),
            State::Top(state) => state.bytes(),
            State::Extreme(state) => state.bytes(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
