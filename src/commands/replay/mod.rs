//! `insightdesk scale replay`: every policy on the same jobs, in the simulator that runs the code which scales for real.
//!
//! [`comparison`] runs, [`report`] and [`json`] tell, [`plot`] draws, [`document`] writes the table of `docs/autoscaling.md`.

mod comparison;
mod document;
mod json;
mod plot;
mod progress;
mod report;
mod sources;
mod summary;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use jiff::SignedDuration;
use ops_engine::simulate::{Wishes, synthetic};

use crate::cli::Globals;
use crate::failure::{Failure, Result};
use crate::output;

/// Seeds of the checked-in table.
const TABLE_SEEDS: [u64; 3] = [1, 2, 3];
/// Seed when none is said.
const SEED: u64 = 42;

const EXAMPLES: &str = "\
A trace is a CSV file with one of these heads:
  timestamp,value                          arrivals per step of time; other names are understood too
  arrival,run_seconds[,due]                one job a line; a delayed one with its due time
  TIMESTAMP,ContextTokens,GeneratedTokens  one request to a language model a line
Counts are scaled to a mean load of 4 replicas, so that every trace has something to scale; --as-recorded leaves them alone.
How late, in seconds and in share, and what was paid over the least that could have been paid: docs/autoscaling.md.

Examples:
  insightdesk scale replay requests.csv
  insightdesk scale replay requests.csv --target-wait 10s --mean-run 500ms --plot requests.svg
  insightdesk scale replay --all-synthetic --seed 1,2,3 --policy insightdesk,keda-tuned --json
  insightdesk scale replay --recorded worker
  insightdesk scale replay --table docs/autoscaling.md --traces-dir traces";

/// Arguments of `scale replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Recorded traces
    #[arg(value_name = "TRACE.csv")]
    traces: Vec<PathBuf>,
    /// Decide again what was decided on this service in the last two days, and compare: all must come out the same
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["traces", "synthetic", "all_synthetic", "table", "plot"])]
    recorded: Option<String>,
    /// Made-up traces, by name
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = synthetic_names())]
    synthetic: Vec<String>,
    /// All made-up traces
    #[arg(long)]
    all_synthetic: bool,
    /// Seeds; with several, the mean over them is told [default: 42]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    seed: Vec<u64>,
    /// Policies to compare; `fixed-N` is N replicas for ever [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    policy: Vec<String>,
    /// The wait that is late beyond [default: the trace's, 30s for recorded ones]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    target_wait: Option<f64>,
    /// Jobs that one replica works on at once [default: the trace's, 10 for counts]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    concurrency: Option<u32>,
    /// Fewest replicas [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    min: Option<u32>,
    /// Most replicas [default: the trace's, 400 for recorded ones]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max: Option<u32>,
    /// Mean time from asking for a replica to its first job, ±20 % [default: the trace's, 30s for recorded ones]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    start_delay: Option<f64>,
    /// Mean run time of a job where the trace says none [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    mean_run: Option<f64>,
    /// Mean load in replicas that counts are scaled to [default: 4]
    #[arg(long, value_name = "REPLICAS", value_parser = positive, conflicts_with = "as_recorded")]
    load: Option<f64>,
    /// Take counts as they are
    #[arg(long)]
    as_recorded: bool,
    /// Let scaling down kill a replica that still works after 30s, as most do, instead of draining it
    #[arg(long)]
    kill: bool,
    /// Draw the trace: what waited, the replicas, the oldest wait
    #[arg(long, value_name = "FILE.svg", conflicts_with = "table")]
    plot: Option<PathBuf>,
    /// Write the comparison of all traces of --traces-dir and all made-up ones between the marks of this file
    #[arg(long, value_name = "FILE.md", requires = "traces_dir", conflicts_with_all = ["traces", "synthetic", "all_synthetic", "json"])]
    table: Option<PathBuf>,
    /// Every .csv of this folder
    #[arg(long, value_name = "FOLDER")]
    traces_dir: Option<PathBuf>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    if let Some(service) = &arguments.recorded {
        return super::block_on(super::explain::replay(globals, service));
    }
    let policies = comparison::chosen(&arguments.policy)?;
    if let Some(file) = &arguments.table {
        let Some(folder) = arguments.traces_dir.as_deref().filter(|it| it.is_dir()) else {
            let folder = arguments.traces_dir.as_deref().unwrap_or(file).display();
            output::note(&format!(
                "SKIPPED: {} is left as it is, because there is no folder {folder}",
                file.display()
            ));
            return Ok(());
        };
        let sources = sources::folder(folder)?.into_iter().chain(sources::all_synthetic()).collect();
        return document::write(file, &compare(arguments, sources, &TABLE_SEEDS, &policies)?);
    }
    let sources = sources(arguments)?;
    if sources.is_empty() {
        return Err(Failure::usage(
            "say what to replay: a trace, --synthetic NAME or --all-synthetic (see `insightdesk scale replay --help`)",
        ));
    }
    if arguments.plot.is_some() && sources.len() != 1 {
        return Err(Failure::usage(format!("--plot draws one trace, not {}", sources.len())));
    }
    let comparisons = compare(arguments, sources, &[SEED], &policies)?;
    if let (Some(file), [comparison]) = (&arguments.plot, &comparisons[..]) {
        std::fs::write(file, plot::svg(comparison))
            .map_err(|error| Failure::problems(format!("could not write {}: {error}", file.display())))?;
        output::note(&format!("drew {}", file.display()));
    }
    if globals.json { json::say(&comparisons) } else { report::say(&comparisons) }
}

fn sources(arguments: &Arguments) -> Result<Vec<sources::Source>> {
    let mut found = Vec::new();
    for file in &arguments.traces {
        found.push(sources::file(file)?);
    }
    if let Some(folder) = &arguments.traces_dir {
        found.extend(sources::folder(folder)?);
    }
    if arguments.all_synthetic {
        found.extend(sources::all_synthetic());
    } else {
        found.extend(arguments.synthetic.iter().cloned().map(sources::Source::Synthetic));
    }
    Ok(found)
}

fn compare(
    arguments: &Arguments,
    sources: Vec<sources::Source>,
    default_seeds: &[u64],
    policies: &[String],
) -> Result<Vec<comparison::Comparison>> {
    let wishes = Wishes {
        target_wait_s: arguments.target_wait,
        concurrency: arguments.concurrency,
        fewest: arguments.min,
        most: arguments.max,
        start_s: arguments.start_delay,
        mean_run_s: arguments.mean_run,
        load: arguments.load,
        as_recorded: arguments.as_recorded,
    };
    if let (Some(fewest), Some(most)) = (wishes.fewest, wishes.most)
        && fewest > most
    {
        return Err(Failure::usage(format!("--min {fewest} is more than --max {most}")));
    }
    let seeds = if arguments.seed.is_empty() { default_seeds } else { &arguments.seed };
    Ok(sources
        .iter()
        .map(|source| comparison::run(source, &wishes, seeds, policies, arguments.kill))
        .collect())
}

fn synthetic_names() -> PossibleValuesParser {
    PossibleValuesParser::new(
        synthetic::names().map(|(name, question)| PossibleValue::new(name).help(question)),
    )
}

pub(super) fn seconds(text: &str) -> std::result::Result<f64, String> {
    let span: SignedDuration = text.parse().map_err(|_| "write a time like 500ms, 30s or 2m".to_owned())?;
    positive(&span.as_secs_f64().to_string())
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("it must be more than zero".to_owned()),
    }
}
