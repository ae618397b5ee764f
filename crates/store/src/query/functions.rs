//! Functions of plans: what ES|QL means by an expression, where `DataFusion` has nothing of the same meaning.
//!
//! [`RowFunction`] evaluates any expression, row by row, with the code that evaluates it everywhere else. The others do a
//! single thing over whole arrays: [`single`] takes the one value out of a list, with the warning of ES|QL where there
//! are several; [`like`] holds texts against patterns; [`different`] leaves of each list what differs; [`overflow`] brings a
//! sum back into the range of its type.

use std::any::type_name;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StructArray};
use arrow::compute::take;
use arrow::datatypes::{DataType as ArrowType, Decimal128Type, Field, Fields};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr as Lowered, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use maxspan_diagnostics::{Source, Span};
use maxspan_esql::evaluate::{Evaluator, fits};
use maxspan_esql::query::{ColumnId, Command, Expr, Pattern};
use maxspan_esql::run::change;
use maxspan_esql::{DataType, Failure, Value, Zone};
use rustc_hash::FxHashSet;

use super::values::{Cells, Form, array_of, item};

/// Evaluators for the threads of a run, and so all of its warnings.
pub(super) struct Evaluators {
    now_ms: i64,
    zone: Zone,
    idle: Mutex<Vec<Evaluator>>,
}

impl fmt::Debug for Evaluators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluators").finish_non_exhaustive()
    }
}

impl Evaluators {
    pub(super) fn new(now_ms: i64, zone: Zone) -> Self {
        Self { now_ms, zone, idle: Mutex::default() }
    }

    /// Works with an evaluator that nobody else uses meanwhile.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Evaluator) -> R) -> R {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut evaluator = idle.unwrap_or_else(|| Evaluator::new(self.now_ms, self.zone.clone()));
        let result = work(&mut evaluator);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(evaluator);
        result
    }

    /// The warnings of all threads, each once.
    pub(super) fn warnings(&self, source: &Source) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for evaluator in &*self.idle.lock().unwrap_or_else(PoisonError::into_inner) {
            for text in evaluator.warnings.texts(source) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts
    }

    fn several(&self, span: Span) {
        self.fail(span, &Failure::multi_value());
    }

    fn fail(&self, span: Span, failure: &Failure) {
        self.with(|evaluator| evaluator.fail(span, failure));
    }
}

/// A function over arrays: what [`ArrayFunction`] makes one of `DataFusion`'s of.
pub(super) trait Work: fmt::Debug + Send + Sync + 'static {
    /// Its name in plans.
    const NAME: &'static str;

    /// The type of the result.
    fn returns(&self, arguments: &[ArrowType]) -> Result<ArrowType>;

    /// The result for some rows.
    fn apply(&self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef>;
}

/// A [`Work`] as a function of plans. Each is equal to itself alone.
struct ArrayFunction<W> {
    id: u64,
    work: Arc<W>,
    signature: Signature,
}

impl<W: Work> fmt::Debug for ArrayFunction<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(type_name::<PhantomData<W>>()).field(&self.work).finish()
    }
}

impl<W> PartialEq for ArrayFunction<W> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<W> Eq for ArrayFunction<W> {}

impl<W> Hash for ArrayFunction<W> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<W: Work> ScalarUDFImpl for ArrayFunction<W> {
    fn name(&self) -> &str {
        W::NAME
    }

    fn schema_name(&self, _: &[Lowered]) -> Result<String> {
        Ok(format!("{}{}", W::NAME, self.id))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[ArrowType]) -> Result<ArrowType> {
        self.work.returns(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let arrays: Vec<ArrayRef> =
            arguments.args.into_iter().map(|argument| argument.into_array(rows)).collect::<Result<_>>()?;
        self.work.apply(&arrays, rows).map(ColumnarValue::Array)
    }
}

/// A call of a function.
pub(super) fn call<W: Work>(work: W, arguments: Vec<Lowered>) -> Lowered {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    let signature = if arguments.is_empty() { Signature::nullary(Volatility::Immutable) } else { signature };
    ScalarUDF::from(ArrayFunction { id, work: Arc::new(work), signature }).call(arguments)
}

/// What a row function computes.
#[derive(Debug)]
pub(super) enum Computed {
    /// An expression.
    Value(Expr),
    /// The columns that DISSECT or GROK fills.
    Columns(Box<Command>),
}

/// Evaluates an expression, or a command that changes one row, row by row.
#[derive(Debug)]
pub(super) struct RowFunction {
    pub(super) computed: Computed,
    /// The columns that are read, and their forms: the arguments.
    pub(super) inputs: Vec<(ColumnId, Form)>,
    /// What comes out: one column, or several of a structure.
    pub(super) outputs: Vec<(ColumnId, Form)>,
    /// How many columns the query has.
    pub(super) columns: usize,
    pub(super) evaluators: Arc<Evaluators>,
}

impl RowFunction {
    /// The name of a column in the structure.
    pub(super) fn output_name(place: usize) -> String {
        format!("o{place}")
    }

    fn fields(&self) -> Fields {
        let field = |(place, (_, form)): (usize, &(ColumnId, Form))| {
            Field::new(Self::output_name(place), form.data_type(), true)
        };
        self.outputs.iter().enumerate().map(field).collect()
    }
}

impl Work for RowFunction {
    const NAME: &'static str = "esql";

    fn returns(&self, _: &[ArrowType]) -> Result<ArrowType> {
        match (&self.computed, self.outputs.as_slice()) {
            (Computed::Value(_), [(_, form)]) => Ok(form.data_type()),
            _ => Ok(ArrowType::Struct(self.fields())),
        }
    }

    fn apply(&self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let cells: Vec<(ColumnId, Cells<'_>)> = self
            .inputs
            .iter()
            .zip(arguments)
            .map(|((id, form), array)| Ok((*id, Cells::new(array, *form)?)))
            .collect::<Result<_>>()?;
        let mut found: Vec<Vec<Value>> = self.outputs.iter().map(|_| Vec::with_capacity(rows)).collect();
        self.evaluators.with(|evaluator| {
            let mut row = vec![Value::Null; self.columns];
            for number in 0..rows {
                for (id, cells) in &cells {
                    row[id.0] = cells.value(number);
                }
                match &self.computed {
                    Computed::Value(expr) => found[0].push(evaluator.evaluate(expr, &row)),
                    Computed::Columns(command) => {
                        change(command, &mut row, evaluator);
                        for ((id, _), values) in self.outputs.iter().zip(&mut found) {
                            values.push(std::mem::take(&mut row[id.0]));
                        }
                    }
                }
            }
        });
        let mut arrays: Vec<ArrayRef> = self
            .outputs
            .iter()
            .zip(&found)
            .map(|((_, form), values)| array_of(values, *form).map_err(DataFusionError::from))
            .collect::<Result<_>>()?;
        match &self.computed {
            Computed::Value(_) => Ok(arrays.swap_remove(0)),
            Computed::Columns(_) => Ok(Arc::new(StructArray::try_new(self.fields(), arrays, None)?)),
        }
    }
}

/// The one value of each list; null, with a warning, where there are several.
pub(super) fn single(lists: Lowered, span: Span, evaluators: &Arc<Evaluators>) -> Lowered {
    call(Single { span, evaluators: Arc::clone(evaluators) }, vec![lists])
}

#[derive(Debug)]
struct Single {
    span: Span,
    evaluators: Arc<Evaluators>,
}

impl Work for Single {
    const NAME: &'static str = "single";

    fn returns(&self, arguments: &[ArrowType]) -> Result<ArrowType> {
        element_of(arguments)
    }

    fn apply(&self, arguments: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let lists = lists_of(arguments)?;
        let mut several = false;
        let places: Int64Array = (0..lists.len())
            .map(|row| {
                let (start, end) = (lists.offsets()[row], lists.offsets()[row + 1]);
                several |= end - start > 1 && lists.is_valid(row);
                (end - start == 1 && lists.is_valid(row)).then_some(i64::from(start))
            })
            .collect();
        if several {
            self.evaluators.several(self.span);
        }
        Ok(take(lists.values(), &places, None)?)
    }
}

/// Of each list the values that differ, in the order of the first.
pub(super) fn different(lists: Lowered, kind: DataType) -> Lowered {
    call(Different { kind }, vec![lists])
}

#[derive(Debug)]
struct Different {
    kind: DataType,
}

impl Work for Different {
    const NAME: &'static str = "different";

    fn returns(&self, arguments: &[ArrowType]) -> Result<ArrowType> {
        Ok(ArrowType::List(item(element_of(arguments)?)))
    }

    fn apply(&self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let lists = lists_of(arguments)?;
        if lists.offsets().lengths().all(|length| length <= 1) {
            return Ok(Arc::clone(&arguments[0]));
        }
        let form = Form { kind: self.kind, several: true };
        let cells = Cells::new(&arguments[0], form)?;
        let values: Vec<Value> = (0..rows)
            .map(|row| {
                let mut seen = FxHashSet::default();
                let value = cells.value(row);
                let once = value.values().iter().filter(|value| seen.insert(*value)).cloned();
                Value::from_values(once.collect())
            })
            .collect();
        Ok(array_of(&values, form)?)
    }
}

/// All values of lists of lists, each once: what VALUES makes of the values of its rows.
pub(super) fn flattened(lists: Lowered, form: Form) -> Lowered {
    call(Flattened { form }, vec![lists])
}

#[derive(Debug)]
struct Flattened {
    /// Of what is in the outer lists.
    form: Form,
}

impl Work for Flattened {
    const NAME: &'static str = "flattened";

    fn returns(&self, _: &[ArrowType]) -> Result<ArrowType> {
        Ok(Form { several: true, ..self.form }.data_type())
    }

    fn apply(&self, arguments: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let lists = lists_of(arguments)?;
        let cells = Cells::new(lists.values(), self.form)?;
        let collected: Vec<Value> = (0..rows)
            .map(|row| {
                if lists.is_null(row) {
                    return Value::Null;
                }
                let (mut seen, mut all) = (FxHashSet::default(), Vec::new());
                for place in lists.offsets()[row]..lists.offsets()[row + 1] {
                    for value in cells.value(place as usize).values() {
                        if !value.is_null() && seen.insert(value.clone()) {
                            all.push(value.clone());
                        }
                    }
                }
                Value::from_values(all)
            })
            .collect();
        Ok(array_of(&collected, Form { several: true, ..self.form })?)
    }
}

/// How many values each list has; 0 for null.
pub(super) fn lengths(lists: Lowered) -> Lowered {
    call(Lengths, vec![lists])
}

#[derive(Debug)]
struct Lengths;

impl Work for Lengths {
    const NAME: &'static str = "lengths";

    fn returns(&self, _: &[ArrowType]) -> Result<ArrowType> {
        Ok(ArrowType::Int64)
    }

    fn apply(&self, arguments: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let lists = lists_of(arguments)?;
        let length = |row: usize| {
            let length = i64::from(lists.offsets()[row + 1] - lists.offsets()[row]);
            if lists.is_valid(row) { length } else { 0 }
        };
        Ok(Arc::new((0..lists.len()).map(|row| Some(length(row))).collect::<Int64Array>()))
    }
}

/// Whether texts fit one of some patterns.
pub(super) fn like(text: Lowered, patterns: Arc<[Pattern]>) -> Lowered {
    call(Like { patterns }, vec![text])
}

#[derive(Debug)]
struct Like {
    patterns: Arc<[Pattern]>,
}

impl Work for Like {
    const NAME: &'static str = "like";

    fn returns(&self, _: &[ArrowType]) -> Result<ArrowType> {
        Ok(ArrowType::Boolean)
    }

    fn apply(&self, arguments: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let texts = arguments.first().and_then(|array| array.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| DataFusionError::Internal("texts were expected".to_owned()))?;
        let fitting: BooleanArray =
            texts.iter().map(|text| text.map(|text| fits(text, &self.patterns))).collect();
        Ok(Arc::new(fitting))
    }
}

/// Sums as longs; null, with a warning, where one has no room.
pub(super) fn overflow(sums: Lowered, span: Span, evaluators: &Arc<Evaluators>) -> Lowered {
    call(Overflow { span, evaluators: Arc::clone(evaluators) }, vec![sums])
}

#[derive(Debug)]
struct Overflow {
    span: Span,
    evaluators: Arc<Evaluators>,
}

impl Work for Overflow {
    const NAME: &'static str = "overflow";

    fn returns(&self, _: &[ArrowType]) -> Result<ArrowType> {
        Ok(ArrowType::Int64)
    }

    fn apply(&self, arguments: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let sums = arguments.first().and_then(|array| array.as_primitive_opt::<Decimal128Type>());
        let sums = sums.ok_or_else(|| DataFusionError::Internal("sums were expected".to_owned()))?;
        let long = |sum: i128| {
            let long = i64::try_from(sum).ok();
            if long.is_none() {
                self.evaluators.fail(self.span, &Failure::arithmetic("long overflow"));
            }
            long
        };
        Ok(Arc::new(sums.iter().map(|sum| sum.and_then(long)).collect::<Int64Array>()))
    }
}

fn lists_of(arguments: &[ArrayRef]) -> Result<&ListArray> {
    let lists = arguments.first().and_then(|array| array.as_list_opt::<i32>());
    lists.ok_or_else(|| DataFusionError::Internal("lists were expected".to_owned()))
}

fn element_of(arguments: &[ArrowType]) -> Result<ArrowType> {
    match arguments.first() {
        Some(ArrowType::List(field)) => Ok(field.data_type().clone()),
        other => Err(DataFusionError::Plan(format!("a list was expected, not {other:?}"))),
    }
}
