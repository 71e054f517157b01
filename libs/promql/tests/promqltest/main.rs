//! Runs PromQL test files: Prometheus' own, where they are there, and ours in `tests/cases`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod again;
mod expect;
mod run;
mod script;

use std::path::{Path, PathBuf};

use run::Score;

/// Where third-party test data is, if it is there.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("INSIGHTDESK_SHARED").map(|path| PathBuf::from(path).join("data"));
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|path| path.join("shared/data"));
    named.into_iter().chain(above).find(|path| path.join("promqltest").is_dir())
}

fn run_all(folder: &Path) -> Vec<(String, Score)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "test"));
    files.sort();
    assert!(!files.is_empty(), "no test files in {}", folder.display());
    let mut scores = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let score = run::run(&std::fs::read_to_string(&file).unwrap());
        println!("{name}: {}/{}/{} passed/eligible/total", score.passed, score.eligible, score.total);
        score.failures.iter().for_each(|failure| println!("  {name}:{failure}"));
        scores.push((name, score));
    }
    scores
}

#[test]
fn prometheus_own_tests_pass_where_they_need_no_native_histogram() {
    let Some(data) = shared() else {
        println!("skipped: shared data absent");
        return;
    };
    for (name, score) in run_all(&data.join("promqltest")) {
        assert!(score.eligible > 0, "{name}: nothing was run");
        assert_eq!(score.passed, score.eligible, "{name}");
    }
}

#[test]
fn our_own_cases_pass() {
    for (name, score) in run_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) {
        assert_eq!(score.eligible, score.total, "{name}: native histograms are not for our own cases");
        assert_eq!(score.passed, score.eligible, "{name}");
    }
}

#[test]
fn the_runner_sees_what_is_wrong() {
    let load = "load 1m\n  m{a=\"x\"} 1 2 3\n  m{a=\"y\"} 4 5 6\n\n";
    for wrong in [
        "eval instant at 1m m\n  m{a=\"x\"} 2\n",
        "eval instant at 1m m\n  m{a=\"x\"} 2\n  m{a=\"y\"} 5.1\n",
        "eval instant at 1m m\n  expect ordered\n  m{a=\"y\"} 5\n  m{a=\"x\"} 2\n",
        "eval instant at 1m m\n  expect fail\n",
        "eval instant at 1m m + on() m\n  expect fail msg: something else\n",
        "eval instant at 1m rate(m[2m])\n  expect no_info\n  {a=\"x\"} 0.016666666\n  {a=\"y\"} 0.016666666\n",
        "eval instant at 1m 1\n  2\n",
        "eval instant at 1m \"a\"\n  expect string \"b\"\n",
        "eval range from 0 to 2m step 1m m{a=\"x\"}\n  m{a=\"x\"} 1 2\n",
        "eval range from 0 to 2m step 1m m{a=\"x\"}\n  m{a=\"x\"} 1 2 _\n",
        "eval instant at 1m sort(m)\n  expect warn\n  m{a=\"x\"} 2\n  m{a=\"y\"} 5\n",
    ] {
        let score = run::run(&format!("{load}{wrong}"));
        assert_eq!((score.passed, score.eligible), (0, 1), "{wrong}");
    }
}
