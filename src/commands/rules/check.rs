//! `insightdesk rules check`.

use std::path::PathBuf;

use ops_alerts::rules::{Fault, RuleFile};
use serde_json::{Value, json};

use super::files;
use crate::cli::Globals;
use crate::failure::{Failure, Kind, Result};
use crate::output;

/// Arguments of `rules check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prometheus rule files are taken as they are. Exit code 1 when there are faults, 2 when a file cannot be read.\n\nExamples:\n  insightdesk rules check rules/*.yml\n  insightdesk rules check rules/*.yml --json | jq '.files[].faults[]'"
)]
pub(crate) struct Arguments {
    /// The rule files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Result {
    let mut checked = Vec::new();
    for path in &arguments.files {
        let (name, text) = (path.display().to_string(), files::read(path)?);
        checked.push((name.clone(), RuleFile::parse(&name, &text)));
    }
    let faults = checked.iter().filter_map(|(_, it)| it.as_ref().err()).map(Vec::len).sum::<usize>();
    if globals.json {
        let files: Vec<Value> = checked.iter().map(|(name, it)| as_json(name, it)).collect();
        output::json(&json!({"files": files, "faults": faults}))?;
    } else {
        for (name, it) in &checked {
            say(name, it);
        }
    }
    match faults {
        0 => Ok(()),
        _ if globals.json => Err(Failure::new(Kind::Problems, "")),
        1 => Err(Failure::problems("one fault")),
        _ => Err(Failure::problems(format!("{faults} faults"))),
    }
}

/// Alerting and recording rules of a file.
fn counts(file: &RuleFile) -> (usize, usize) {
    let rules = || file.groups.iter().flat_map(|it| &it.rules);
    let alerting = rules().filter(|it| it.is_alerting()).count();
    (alerting, rules().count() - alerting)
}

fn say(name: &str, checked: &std::result::Result<RuleFile, Vec<Fault>>) {
    match checked {
        Ok(file) => {
            let (alerting, recording) = counts(file);
            output::say(&format!(
                "{name} is good: {alerting} alerting and {recording} recording rules in {} groups",
                file.groups.len()
            ));
        }
        Err(faults) => faults.iter().for_each(|fault| output::say(&fault.to_string())),
    }
}

fn as_json(name: &str, checked: &std::result::Result<RuleFile, Vec<Fault>>) -> Value {
    match checked {
        Ok(file) => {
            let (alerting, recording) = counts(file);
            json!({"file": name, "groups": file.groups.len(), "alerting": alerting, "recording": recording, "faults": []})
        }
        Err(faults) => json!({"file": name, "faults": faults.iter().map(fault_json).collect::<Vec<_>>()}),
    }
}

/// A fault for programs.
pub(super) fn fault_json(fault: &Fault) -> Value {
    json!({"file": fault.file, "line": fault.line, "place": fault.place, "problem": fault.problem, "fix": fault.fix})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_exit_code_2_and_faults_are_1() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good.yml");
        let bad = folder.path().join("bad.yml");
        std::fs::write(&good, "groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]").unwrap();
        std::fs::write(&bad, "groups: [{name: a, rules: [{alert: A, expr: 'up =='}]}]").unwrap();
        let globals =
            crate::cli::Globals { json: false, url: None, token: None, stack: None, state_dir: None };
        let check = |files: &[&PathBuf]| {
            run(&globals, &Arguments { files: files.iter().map(|it| (*it).clone()).collect() })
        };
        assert!(check(&[&good]).is_ok());
        assert_eq!(check(&[&good, &bad]).unwrap_err().kind, Kind::Problems);
        assert_eq!(check(&[&folder.path().join("none.yml")]).unwrap_err().kind, Kind::Usage);
    }
}
