//! `maxspan rules explain`: how rules are found, and what they cost.

use std::io::{self, BufWriter, Write as _};

use maxspan_pipeline::cost::{RuleCost, rule_cost, worst};
use maxspan_pipeline::rule_base::{RuleBase, RuleBaseOptions};
use maxspan_rules::LoadedRules;

use crate::args::cost::{CostArguments, CostFormat};
use crate::commands::list::report;
use crate::exit::{Exit, Failure};
use crate::output::cost;
use crate::output::messages::print_diagnostics;
use crate::terminal::{self, Paint};
use crate::{find, load};

pub(crate) fn run(arguments: &CostArguments) -> Result<Exit, Failure> {
    let costs = load::hunt_costs(arguments.stats.as_deref())?;
    let options = RuleBaseOptions {
        schema: load::schema(&arguments.mapping, false)?,
        selectivity: load::selectivity(arguments.profile.as_deref())?,
        ..RuleBaseOptions::default()
    };
    let rules = RuleBase::new(load(arguments)?, &options);
    check(&rules)?;
    let found: Vec<RuleCost> = match arguments.worst {
        Some(count) => worst(&rules, costs.as_ref(), count),
        None => rules.rule_set.rules().map(|(id, _)| rule_cost(&rules, id, costs.as_ref())).collect(),
    };
    let paint = Paint::stdout();
    let text = match (arguments.format, arguments.worst) {
        (CostFormat::Json, _) => serde_json::to_string_pretty(&found).unwrap_or_default() + "\n",
        (CostFormat::Text, None) => cost::pages(&found, paint),
        (CostFormat::Text, Some(_)) => cost::table(&found, costs.is_some(), paint),
    };
    let mut writer = BufWriter::new(io::stdout().lock());
    let written = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
    written.map_err(Failure::output("the explanation"))?;
    // A rule that was named and cannot be run is an error; among many it is one of them.
    Ok(if arguments.worst.is_none() && rules.failed > 0 { Exit::Rules } else { Exit::Success })
}

/// The rules that are named; with `--worst` all of them.
fn load(arguments: &CostArguments) -> Result<LoadedRules, Failure> {
    if arguments.worst.is_some() {
        let loaded = load::rules(&arguments.paths, &[], arguments.any_maturity, None)?;
        report(&loaded);
        return Ok(loaded);
    }
    let mut loaded = if arguments.paths.is_empty() {
        LoadedRules::default()
    } else {
        load::rules(&arguments.paths, &[], true, None)?
    };
    let mut chosen = Vec::new();
    for wanted in &arguments.rules {
        chosen.push(if arguments.paths.is_empty() {
            find::in_file(wanted, None, "explain")?
        } else {
            find::named(&loaded, wanted)?
        });
    }
    loaded.rules = chosen;
    // What is wrong with other rules is not asked.
    loaded.problems.clear();
    loaded.counts = maxspan_rules::load::LoadCounts::default();
    Ok(loaded)
}

/// Says which rules cannot be run, and whether there is one that can.
fn check(rules: &RuleBase) -> Result<(), Failure> {
    print_diagnostics("error", rules.errors());
    if rules.read == 0 {
        return Err(Failure::usage("there are no rules in these paths"));
    }
    if !rules.rule_set.is_empty() {
        return Ok(());
    }
    for rule in &rules.not_run {
        terminal::say(&format!("{}: {}", terminal::printable(&rule.name), rule.reason));
    }
    Err(Failure::rules("no rule can be run"))
}
