//! `insightdesk stack check`: every fault of the stack file at once.

use ops_stack::{Context, StackFile};
use serde_json::json;

use crate::cli::Globals;
use crate::failure::{Failure, Kind, Result};
use crate::output;
use crate::place::Place;

/// What to do with the stack file.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Report every fault at once, with its line and how to mend it
    #[command(
        after_help = "Exit code 2 when there are faults.\n\nExamples:\n  insightdesk stack check\n  insightdesk stack check --stack other.toml --json"
    )]
    Check,
}

pub(super) fn run(globals: &Globals, command: &Command) -> Result {
    let Command::Check = command;
    let place = Place::find(globals)?;
    let file = load(&place, globals.json)?;
    if globals.json {
        return output::json(
            &json!({"file": place.stack_file, "faults": [], "remarks": file.remarks, "services": file.stack.services.len()}),
        );
    }
    output::say(&format!(
        "{} is good: {} services in {}",
        place.stack_file.display(),
        file.stack.services.len(),
        file.stack.name
    ));
    for remark in &file.remarks {
        output::say(remark);
    }
    Ok(())
}

/// Reads the stack file; all its faults are said, and end the command.
pub(crate) fn load(place: &Place, as_json: bool) -> Result<StackFile> {
    if !place.stack_file.is_file() {
        return Err(Failure::usage(format!(
            "there is no stack file {}: go to the folder that has one, or name one with --stack",
            place.stack_file.display()
        )));
    }
    let context = Context {
        insightdesk: super::own_program()?,
        state_dir: place.state.clone(),
        base_dir: place.base.clone(),
    };
    ops_stack::load(&place.stack_file, &context).map_err(|faults| {
        let file = place.stack_file.to_string_lossy();
        if as_json {
            let faults: Vec<_> = faults
                .iter()
                .map(|it| json!({"line": it.line, "column": it.column, "key": it.key, "problem": it.problem, "fix": it.fix}))
                .collect();
            output::say(&json!({"file": file, "faults": faults}).to_string());
            return Failure::new(Kind::Usage, "");
        }
        Failure::usage(format!("the stack file has faults\n{}", ops_stack::report(&file, &faults).trim_end()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_stack_file_is_exit_code_2() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            stack_file: folder.path().join("insightdesk.toml"),
            base: folder.path().to_owned(),
            state: folder.path().join(".insightdesk"),
        };
        assert_eq!(load(&place, false).unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn faults_are_all_reported_and_exit_code_2() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            stack_file: folder.path().join("insightdesk.toml"),
            base: folder.path().to_owned(),
            state: folder.path().join(".insightdesk"),
        };
        std::fs::write(
            &place.stack_file,
            "[stack]\nname = \"x\"\nbogus = 1\n[services.a]\nrun = \"no-such-program\"\nextra = 2\n",
        )
        .unwrap();
        let failure = load(&place, false).unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        for key in ["bogus", "extra", "no-such-program"] {
            assert!(failure.message.contains(key), "{key} is not in: {}", failure.message);
        }
    }
}
