//! `insightdesk rules test`.

use std::path::{Path, PathBuf};

use ops_alerts::rules::{Fault, RuleFile};
use ops_alerts::unit_tests::{Report, TestFile, run as run_tests};
use regex::Regex;
use serde_json::{Value, json};

use super::check::fault_json;
use super::files;
use crate::cli::Globals;
use crate::failure::{Failure, Kind, Result};
use crate::output;

const EXAMPLES: &str = "\
The files are those of `promtool test rules`; rule files are looked for beside the test file. Ranges leave out their oldest
moment, as in Prometheus 3. Exit code 1 when a test fails, 2 when a test file cannot be read.

Examples:
  insightdesk rules test tests/*.yml
  insightdesk rules test tests/availability.yml --run 'down for long'
  insightdesk rules test tests/*.yml --json | jq '.files[].tests[] | select(.faults != [])'";

/// Arguments of `rules test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The test files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run only tests whose name matches; may be given several times
    #[arg(long = "run", value_name = "REGEX")]
    only: Vec<Regex>,
}

/// What a test file came to: its tests, or why none could run.
type Ran = std::result::Result<Report, Vec<Fault>>;

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let mut all = Vec::new();
    for path in &arguments.files {
        let text = files::read(path)?;
        all.push((path.display().to_string(), test(path, &text, &arguments.only)));
    }
    let failed: usize = all.iter().map(|(_, it)| it.as_ref().map_or(1, Report::failed)).sum();
    if globals.json {
        let files: Vec<Value> = all.iter().map(|(name, it)| as_json(name, it)).collect();
        output::json(&json!({"files": files, "failed": failed}))?;
    } else {
        all.iter().for_each(|(name, it)| say(name, it));
    }
    match failed {
        0 => Ok(()),
        _ if globals.json => Err(Failure::new(Kind::Problems, "")),
        1 => Err(Failure::problems("one test failed")),
        _ => Err(Failure::problems(format!("{failed} tests failed"))),
    }
}

/// Runs the tests of one file.
fn test(path: &Path, text: &str, only: &[Regex]) -> Ran {
    let file = TestFile::parse(text).map_err(|error| {
        let mut fault = files::fault(path.display().to_string(), error.problem);
        fault.line = u64::try_from(error.line).ok().filter(|it| *it > 0);
        vec![fault]
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut rules: Vec<RuleFile> = Vec::new();
    let mut faults = Vec::new();
    for pattern in &file.rule_files {
        let found = files::matching(&folder.join(pattern));
        if found.is_empty() {
            let problem = format!("no file is called {pattern:?}");
            faults.push(files::fault(path.display().to_string(), problem));
        }
        for path in found {
            match files::rules(&path) {
                Ok(file) => rules.push(file),
                Err(more) => faults.extend(more),
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(run_tests(&file, &rules, &|name| only.is_empty() || only.iter().any(|it| it.is_match(name))))
}

fn say(name: &str, ran: &Ran) {
    output::say(name);
    match ran {
        Err(faults) => faults.iter().for_each(|it| output::say(&format!("  {it}"))),
        Ok(report) if report.tests.is_empty() => output::say("  no test runs"),
        Ok(report) => {
            for test in &report.tests {
                let called = test.name.clone().unwrap_or_else(|| format!("test {}", test.place));
                if test.faults.is_empty() {
                    output::say(&format!("  passed  {called} ({} checks)", test.checks));
                    continue;
                }
                output::say(&format!("  FAILED  {called}"));
                for fault in &test.faults {
                    output::say(&format!("    {}", fault.to_string().replace('\n', "\n    ")));
                }
            }
        }
    }
}

fn as_json(name: &str, ran: &Ran) -> Value {
    match ran {
        Ok(report) => json!({"file": name, "tests": report.tests, "faults": []}),
        Err(faults) => {
            json!({"file": name, "tests": [], "faults": faults.iter().map(fault_json).collect::<Vec<_>>()})
        }
    }
}
