//! A program that appends is killed at any moment, again and again. What it had acknowledged is there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ops_series::{Options, Select, Source, Store, Want};

use crate::model::Random;

#[test]
fn killed_again_and_again_it_has_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(std::process::id().into());
    let mut acknowledged = 0;
    for _ in 0..25 {
        acknowledged = run_and_kill(folder.path(), &mut random).max(acknowledged);
    }
    let options = Options { segment_ms: 20_000, out_of_order_ms: 0, ..Options::default() };
    let (store, recovery) = Store::open(folder.path(), options).unwrap();
    assert_eq!(recovery.lost_samples, 0);
    let select =
        Select { matchers: &[], after_ms: 0, until_ms: i64::MAX, want: Want::All, max_samples: 1 << 30 };
    let selection = store.select(&select).unwrap();
    assert_eq!(selection.len(), 10);
    for (labels, samples) in selection.iter() {
        let newest = samples.last().unwrap().at_ms;
        assert!(newest >= acknowledged, "{labels}: {newest}, acknowledged {acknowledged}");
        for (at, sample) in (1_i64..).zip(samples) {
            assert_eq!(sample.at_ms, at * 10, "{labels}: one is missing or there twice");
        }
    }
}

/// Runs the program for a while; what it said last.
fn run_and_kill(folder: &Path, random: &mut Random) -> i64 {
    let mut child =
        Command::new(program()).arg(folder).stdout(Stdio::piped()).spawn().expect("the example is built");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.starts_with("opened ") && first.ends_with("damage 0") || first.contains("damage"),
        "{first}"
    );
    let patience = Duration::from_micros(random.below(60_000));
    let killer = std::thread::spawn(move || {
        // The moment is the point of it: it is not waited for anything.
        std::thread::park_timeout(patience);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let mut said = 0;
    // The last line may be cut off.
    for line in lines.map_while(Result::ok) {
        said = line.parse().unwrap_or(said).max(said);
    }
    killer.join().unwrap();
    said - 10
}

/// The example beside this test.
fn program() -> std::path::PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(Path::parent).unwrap().join("examples/killed")
}
