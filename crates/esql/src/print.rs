//! A tree as text: one way to write each query, which reads as the same tree.

use crate::ast::{
    Aggregate, Assignment, BinaryOp, CommandKind, Expr, ExprKind, From, Name, Setting, SortKey, Stats, Tree,
    Word,
};
use crate::lexer::is_bare;

/// Words that a name may not be without backticks.
const KEYWORDS: [&str; 20] = [
    "and",
    "as",
    "asc",
    "by",
    "desc",
    "false",
    "in",
    "is",
    "like",
    "metadata",
    "not",
    "null",
    "nulls",
    "on",
    "or",
    "rlike",
    "true",
    "where",
    "with",
    "append_separator",
];

/// Writes a query, one command a line.
pub fn to_esql(tree: &Tree) -> String {
    let settings: String = tree.settings.iter().map(setting).collect();
    let commands: Vec<String> = tree.commands.iter().map(|command| command_text(&command.kind)).collect();
    settings + &commands.join("\n| ")
}

/// Writes an expression.
pub(crate) fn expression(expr: &Expr) -> String {
    write(expr, Level::Or)
}

fn setting(setting: &Setting) -> String {
    format!("SET {} = {};\n", setting.name.text, expression(&setting.value))
}

fn command_text(kind: &CommandKind) -> String {
    match kind {
        CommandKind::From(from) => from_text(from),
        CommandKind::Row(fields) => format!("ROW {}", list(fields, assignment)),
        CommandKind::Where(condition) => format!("WHERE {}", expression(condition)),
        CommandKind::Eval(fields) => format!("EVAL {}", list(fields, assignment)),
        CommandKind::Stats(stats) => stats_text("STATS", stats),
        CommandKind::InlineStats(stats) => stats_text("INLINE STATS", stats),
        CommandKind::Keep(names) => format!("KEEP {}", list(names, name)),
        CommandKind::Drop(names) => format!("DROP {}", list(names, name)),
        CommandKind::Rename(pairs) => {
            format!("RENAME {}", list(pairs, |pair| format!("{} AS {}", name(&pair.old), name(&pair.new))))
        }
        CommandKind::Sort(keys) => format!("SORT {}", list(keys, sort_key)),
        CommandKind::Limit(rows) => format!("LIMIT {}", expression(rows)),
        CommandKind::Dissect(dissect) => {
            let separator = dissect.append_separator.as_ref();
            let separator = separator.map(|word| format!(" APPEND_SEPARATOR = {}", string(&word.text)));
            let pattern = string(&dissect.pattern.text);
            format!("DISSECT {} {pattern}{}", expression(&dissect.input), separator.unwrap_or_default())
        }
        CommandKind::Grok(grok) => {
            format!("GROK {} {}", expression(&grok.input), list(&grok.patterns, |word| string(&word.text)))
        }
        CommandKind::MvExpand(column) => format!("MV_EXPAND {}", name(column)),
        CommandKind::Enrich(enrich) => {
            let on = enrich.on.as_ref().map(|on| format!(" ON {}", name(on))).unwrap_or_default();
            let fields = list(&enrich.with, |(new, field)| match new {
                Some(new) => format!("{} = {}", name(new), name(field)),
                None => name(field),
            });
            let with = if fields.is_empty() { String::new() } else { format!(" WITH {fields}") };
            format!("ENRICH {}{on}{with}", index_pattern(&enrich.policy))
        }
        CommandKind::LookupJoin(join) => {
            format!("LOOKUP JOIN {} ON {}", index_pattern(&join.table), list(&join.on, name))
        }
        CommandKind::Unsupported(word) => word.text.clone(),
    }
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn from_text(from: &From) -> String {
    let mut text = format!("FROM {}", list(&from.patterns, index_pattern));
    if !from.metadata.is_empty() {
        text += &format!(" METADATA {}", list(&from.metadata, name));
    }
    text
}

/// Without quotes where it reads the same.
fn index_pattern(word: &Word) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "*-_.@".contains(c);
    if !word.text.is_empty() && word.text.chars().all(plain) { word.text.clone() } else { string(&word.text) }
}

fn stats_text(command: &str, stats: &Stats) -> String {
    let mut text = command.to_owned();
    if !stats.aggregates.is_empty() {
        text += &format!(" {}", list(&stats.aggregates, aggregate));
    }
    if !stats.by.is_empty() {
        text += &format!(" BY {}", list(&stats.by, assignment));
    }
    text
}

fn aggregate(aggregate: &Aggregate) -> String {
    let text = assignment(&aggregate.assignment);
    aggregate.filter.as_ref().map_or(text.clone(), |filter| format!("{text} WHERE {}", expression(filter)))
}

fn assignment(assignment: &Assignment) -> String {
    let value = expression(&assignment.value);
    assignment.name.as_ref().map_or(value.clone(), |column| format!("{} = {value}", name(column)))
}

fn sort_key(key: &SortKey) -> String {
    let direction = if key.descending { " DESC" } else { "" };
    let nulls = match key.nulls_first {
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
        None => "",
    };
    format!("{}{direction}{nulls}", expression(&key.value))
}

/// A name or pattern of names.
pub(crate) fn name(name: &Name) -> String {
    match name.as_plain() {
        Some(plain) => column(plain),
        None => name.pieces.iter().map(|piece| pattern_piece(piece)).collect::<Vec<_>>().join("*"),
    }
}

fn pattern_piece(piece: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@".contains(c);
    if piece.chars().all(plain) && !piece.starts_with(|c: char| c.is_ascii_digit()) {
        piece.to_owned()
    } else {
        quoted(piece)
    }
}

fn column(name: &str) -> String {
    let bare = |segment: &str| is_bare(segment);
    let keyword = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name));
    if !keyword && name.split('.').all(bare) { name.to_owned() } else { quoted(name) }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

/// How tightly operators bind; an operand that binds less tightly than its place asks stands in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Test,
    Sum,
    Product,
    Sign,
    Cast,
    Primary,
}

fn write(expr: &Expr, least: Level) -> String {
    let text = inner(&expr.kind);
    if level(&expr.kind) < least { format!("({text})") } else { text }
}

fn level(kind: &ExprKind) -> Level {
    match kind {
        ExprKind::Binary(op, ..) => binary_level(*op),
        ExprKind::Not(_) => Level::Not,
        ExprKind::Like { .. } | ExprKind::In { .. } | ExprKind::IsNull { .. } | ExprKind::Match(..) => {
            Level::Test
        }
        ExprKind::Negate(_) => Level::Sign,
        ExprKind::Integer(text) | ExprKind::Decimal(text) if text.starts_with('-') => Level::Sign,
        ExprKind::Cast(..) => Level::Cast,
        _ => Level::Primary,
    }
}

fn binary_level(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Add | BinaryOp::Subtract => Level::Sum,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => Level::Product,
        _ => Level::Test,
    }
}

/// The level that a right operand needs: one more, since operators join from the left.
fn right_level(op: BinaryOp) -> Level {
    match binary_level(op) {
        Level::Or => Level::And,
        Level::And => Level::Not,
        Level::Sum => Level::Product,
        Level::Product => Level::Sign,
        _ => Level::Sum,
    }
}

fn inner(kind: &ExprKind) -> String {
    match kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Boolean(value) => value.to_string(),
        ExprKind::Integer(text) | ExprKind::Decimal(text) => text.clone(),
        ExprKind::String(text) => string(text),
        ExprKind::TimeSpan { amount, unit } => format!("{amount} {}", unit.text),
        ExprKind::List(values) => format!("[{}]", list(values, |value| write(value, Level::Sign))),
        ExprKind::Column(column) => name(column),
        ExprKind::Star => "*".to_owned(),
        ExprKind::Call { name, arguments, options } => call(name, arguments, options),
        ExprKind::Negate(value) => format!("-{}", negated(value)),
        ExprKind::Not(value) => format!("NOT {}", write(value, Level::Not)),
        ExprKind::Binary(op, left, right) => binary(*op, left, right),
        ExprKind::Cast(value, to) => format!("{}::{}", write(value, Level::Cast), to.text),
        ExprKind::Like { value, patterns, regex, negated } => like(value, patterns, *regex, *negated),
        ExprKind::In { value, list: values, negated } => {
            let not = if *negated { "NOT " } else { "" };
            format!("{} {not}IN ({})", write(value, Level::Sum), list(values, expression))
        }
        ExprKind::IsNull { value, negated } => {
            format!("{} IS {}NULL", write(value, Level::Sum), if *negated { "NOT " } else { "" })
        }
        ExprKind::Match(value, query) => {
            format!("{} : {}", write(value, Level::Sum), write(query, Level::Cast))
        }
        ExprKind::Missing => "null".to_owned(),
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> String {
    // Comparisons do not chain: both sides are sums.
    let left_level = if binary_level(op) == Level::Test { Level::Sum } else { binary_level(op) };
    format!("{} {} {}", write(left, left_level), op.symbol(), write(right, right_level(op)))
}

/// A minus before a number would become part of it.
fn negated(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Integer(text) | ExprKind::Decimal(text) if !text.starts_with('-') => format!("({text})"),
        _ => write(value, Level::Sign),
    }
}

fn call(name: &Word, arguments: &[Expr], options: &[(Word, Expr)]) -> String {
    let mut parts: Vec<String> = arguments.iter().map(expression).collect();
    if !options.is_empty() {
        let pairs =
            list(options, |(name, value)| format!("{}: {}", string(&name.text), write(value, Level::Sign)));
        parts.push(format!("{{{pairs}}}"));
    }
    format!("{}({})", name.text, parts.join(", "))
}

fn like(value: &Expr, patterns: &[Expr], regex: bool, negated: bool) -> String {
    let operator = if regex { "RLIKE" } else { "LIKE" };
    let not = if negated { "NOT " } else { "" };
    format!("{} {not}{operator} ({})", write(value, Level::Sum), list(patterns, expression))
}
